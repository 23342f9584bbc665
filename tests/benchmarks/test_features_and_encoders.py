"""The benchmarks of features, encoders and the machine run and write what the table reads."""

import json
import math
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def run(name: str, folder: Path, *arguments: str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "PYTHONWARNINGS": "ignore"}
    command = [sys.executable, str(ROOT / "benchmarks" / name), *arguments]
    result = subprocess.run(
        command, cwd=folder, env=environment, check=True, capture_output=True, text=True
    )
    return result.stdout


def rows(folder: Path) -> dict[str, dict]:
    paths = (folder / "results" / "bench").glob("*.json")
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in paths}


def check(row: dict) -> None:
    low, high = row["spread"]
    assert 0 < low <= row["ratio"] <= high < math.inf
    assert 0 < row["value"] < math.inf
    assert row["holds"] in (True, False)
    assert "at least" in row["bar"]
    assert "cores" in row["machine"]


def differences(output: str) -> list[float]:
    return [float(number) for number in re.findall(r"differs from .*? by (\S+)", output)]


def test_features_and_librosa_give_the_same_numbers(tmp_path: Path) -> None:
    output = run("features.py", tmp_path, "--small")
    found = rows(tmp_path)
    assert set(found) == {"features-fbank", "features-spectrogram"}
    for row in found.values():
        check(row)
        assert "6 utterances" in row["unit"]
        assert "decoding and transforms alone" in row["limit"]
    # librosa's mel bands are straight in hertz, Kaldi's in mel.
    of_spectrogram, of_fbank = differences(output)
    assert of_spectrogram < 1e-4
    assert of_fbank < 0.05
    assert [path.name for path in tmp_path.iterdir()] == ["results"]


def test_batches_by_length_give_what_single_utterances_give(tmp_path: Path) -> None:
    pytest.importorskip("transformers")
    output = run("encoders.py", tmp_path, "--small")
    found = rows(tmp_path)
    assert {"encoders-by-length", "encoders-order-alone"} <= set(found)
    for row in found.values():
        check(row)
    (difference,) = differences(output)
    assert difference < 1e-4


def test_the_table_holds_rows_with_and_without_a_limit_and_what_the_machine_can(
    tmp_path: Path,
) -> None:
    run("machine_limits.py", tmp_path, "--small")
    limits = rows(tmp_path)["machine"]
    for kind in ("products", "copy", "triad"):
        assert {"1", "2"} <= set(limits[kind])
        assert min(limits[kind].values()) > 0
    old = {"name": "old", "ratio": 2.0, "value": 1.5, "unit": "s", "spread": [1.0, 3.0]}
    old |= {"bar": "at least twice", "holds": True, "machine": "a machine"}
    new = {**old, "name": "new", "holds": False, "limit": "half of what the machine can"}
    folder = tmp_path / "results" / "bench"
    for row in (old, new):
        (folder / f"{row['name']}.json").write_text(json.dumps(row), encoding="utf-8")
    output = run("table.py", tmp_path)
    assert (folder / "table.md").read_text(encoding="utf-8") == output
    assert "| old | 2.00 | 1.00 to 3.00 | 1.5 s | at least twice | yes |  |" in output
    assert "| NO | half of what the machine can |" in output
    assert f"| 2 | {limits['products']['2']:.0f} |" in output


def test_without_what_the_machine_can_there_is_a_table_too(tmp_path: Path) -> None:
    (tmp_path / "results" / "bench").mkdir(parents=True)
    assert "| row | ratio |" in run("table.py", tmp_path)
