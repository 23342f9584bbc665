import importlib.util
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from emonas.cli.main import application
from emonas.errors import EmonasError
from emonas.features.listing import kind_lines
from emonas.kinds import all_kinds

HEAD = """
corpora: {emodb: {reader: synthetic}, msp: {reader: synthetic}}
protocols: {p: {corpora: [emodb], test: speaker, validate: speaker, allow: [text]}}
systems: {linear: {network: linear, inputs: [bank]}}
runs: [{protocol: p, systems: [linear]}]
"""


def listed(*arguments: object) -> list[str]:
    done = CliRunner().invoke(application, ["features", "list", *map(str, arguments)])
    if done.exception is not None:
        raise done.exception
    return done.stdout.splitlines()


def cells(lines: list[str], name: str) -> list[str]:
    """The cells of a row's first line, split where the columns are."""
    return next(re.split(r"\s{2,}", line) for line in lines if line.split()[:1] == [name])


def write(path: Path, text: str) -> Path:
    path.write_text(HEAD + text)
    return path


def test_every_kind_has_a_row_and_no_line_is_too_long():
    lines = listed()
    assert max(map(len, lines)) <= 100
    names = {line.split()[0] for line in lines if line and not line.startswith(" ")}
    assert names >= {*all_kinds("extractor"), *all_kinds("recogniser")}
    assert lines[0].split() == ["extractor", "gives", "needs", "installed"]


def test_a_row_says_what_a_kind_needs():
    lines = listed()
    assert cells(lines, "fbank") == ["fbank", *cells(lines, "fbank")[1:-1], "yes"]
    assert "Log mel filterbank" in cells(lines, "fbank")[1]
    assert "a checkpoint" in cells(lines, "wav2vec")
    assert "a file of yours" in cells(lines, "precomputed")
    assert "package opensmile" in cells(lines, "egemaps")


def test_a_package_that_is_not_there_is_named_with_its_extra(monkeypatch):
    found = importlib.util.find_spec
    monkeypatch.setattr(
        "importlib.util.find_spec",
        lambda name, *rest: None if name == "opensmile" else found(name, *rest),
    )
    lines = kind_lines()
    assert cells(lines, "egemaps")[-1] == "no"
    assert "egemaps: the package opensmile is not installed; pip install 'emonas[egemaps]'" in lines
    assert cells(lines, "fbank")[-1] == "yes"


def test_settings_say_which_weights_are_there(tmp_path, monkeypatch):
    monkeypatch.setenv("EMONAS_CHECKPOINTS", str(tmp_path / "fetched"))
    (tmp_path / "here.pt").write_bytes(b"x")
    (tmp_path / "fetched").mkdir()
    (tmp_path / "fetched/fetched.pt").write_bytes(b"x")
    settings = write(
        tmp_path / "settings.yaml",
        f"""
checkpoints:
  here: {{path: "{tmp_path}/here.pt"}}
  gone: {{path: "{tmp_path}/gone.pt"}}
  known: {{address: "https://example.org/known.pt", size: 325000000}}
  unknown: {{address: "https://example.org/unknown.pt"}}
  fetched: {{address: "https://example.org/fetched.pt"}}
  nowhere: {{}}
features:
  bank: {{extractor: fbank}}
  a: {{extractor: wav2vec, checkpoint: here}}
  b: {{extractor: wav2vec, checkpoint: gone}}
  c: {{extractor: wav2vec, checkpoint: known}}
  d: {{extractor: wav2vec, checkpoint: unknown}}
  e: {{extractor: wav2vec, checkpoint: fetched}}
  f: {{extractor: wav2vec, checkpoint: nowhere}}
""",
    )
    lines = listed(settings)
    assert cells(lines, "bank") == ["bank", "fbank", "yes"]
    assert cells(lines, "a") == ["a", "wav2vec", "checkpoint here", "yes"]
    assert cells(lines, "b")[-1] == "no"
    assert cells(lines, "c")[-1] == "to be fetched, 325 MB"
    assert cells(lines, "d")[-1] == "to be fetched, of unknown size"
    assert cells(lines, "e")[-1] == "yes"
    assert cells(lines, "f")[-1] == "no"
    reasons = " ".join(line.strip() for line in lines)
    assert f"b: checkpoints.gone.path: there is no file or folder {tmp_path}/gone.pt" in reasons
    assert "f: checkpoints.nowhere: none of path, address, hub and file is given" in reasons


def test_settings_say_for_which_corpora_a_users_file_is_there(tmp_path):
    for corpus in ("emodb", "msp"):
        (tmp_path / f"both-{corpus}.npz").write_bytes(b"x")
    (tmp_path / "one-emodb.npz").write_bytes(b"x")
    rows = "".join(
        f"  {name}: {{extractor: precomputed, file: '{tmp_path}/{name}-{{corpus}}.npz'}}\n"
        for name in ("both", "one", "none")
    )
    settings = write(
        tmp_path / "my settings.yaml", f"features:\n  bank: {{extractor: fbank}}\n{rows}"
    )
    lines = listed(settings)
    assert cells(lines, "both")[-1] == "yes"
    assert cells(lines, "one")[-1] == "for emodb"
    assert cells(lines, "none")[-1] == "no"
    assert f"none: there is no {tmp_path}/none-emodb.npz" in " ".join(lines)


def test_transcripts_have_a_table_of_their_own(tmp_path):
    settings = write(
        tmp_path / "settings.yaml",
        """
checkpoints: {tiny: {address: "https://example.org/tiny.pt", size: 75000000}}
transcripts: {heard: {recogniser: wenet, checkpoint: tiny}}
features: {bank: {extractor: fbank}}
""",
    )
    lines = listed(settings)
    assert cells(lines, "transcript") == ["transcript", "recogniser", "needs", "there"]
    assert cells(lines, "heard") == ["heard", "wenet", "checkpoint tiny", "to be fetched, 75 MB"]


def test_settings_that_are_wrong_are_one_sentence(tmp_path):
    with pytest.raises(EmonasError, match="did you mean fbank"):
        listed(write(tmp_path / "settings.yaml", "features: {bank: {extractor: fbnak}}\n"))
