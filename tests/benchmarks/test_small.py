"""Benchmarks run: at small sizes, without a look at the times."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]


@pytest.fixture
def rows(tmp_path):
    """Run a benchmark at its small size, and give the rows that it wrote."""

    def run(name):
        command = [sys.executable, str(CHECKOUT / "benchmarks" / name), "--small"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        paths = (tmp_path / "results/bench").glob("*.json")
        return {path.stem: json.loads(path.read_text()) for path in paths}, done.stdout

    return run


def test_a_dry_run_of_a_finished_paper(rows):
    """It ends with an error where Snakemake finds anything to do."""
    written, said = rows("dry_run.py")
    (row,) = written.values()
    assert row["name"] == "dry-run"
    assert row["unit"] == "s"
    assert row["value"] > 0
    assert row["ratio"] == pytest.approx(10 / row["value"])
    assert row["holds"] == (row["value"] < 10)
    low, high = row["spread"]
    assert low <= row["ratio"] <= high
    # 10 folds of 19 systems and 6 searches at the least.
    assert int(said.split(" finished jobs")[0].split()[-1]) > 250
