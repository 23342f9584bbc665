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
        tmp_path / "my settings.yaml",
        f"features:\n  bank: {{extractor: fbank}}\n{rows}"
        "  near: {extractor: precomputed, file: 'my {corpus}.npz'}\n",
    )
    lines = listed(settings)
    assert cells(lines, "near") == ["near", "precomputed", "file my {corpus}.npz", "no"]
    assert cells(lines, "both")[-1] == "yes"
    assert cells(lines, "one")[-1] == "for emodb"
    assert cells(lines, "none")[-1] == "no"
    reasons = " ".join(line.strip() for line in lines)
    assert f"none: there is no {tmp_path}/none-emodb.npz" in reasons


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


def test_weights_of_another_size_are_not_there(tmp_path, monkeypatch):
    monkeypatch.setenv("EMONAS_CHECKPOINTS", str(tmp_path / "fetched"))
    folder, fetched, empty = (tmp_path / name for name in ("folder", "fetched", "empty"))
    for made in (folder / "below", fetched, empty):
        made.mkdir(parents=True)
    (folder / "one").write_bytes(b"123")
    (folder / "below/two").write_bytes(b"45")
    (folder / ".note").write_bytes(b"6")
    (fetched / "short.pt").write_bytes(b"1")
    wholes = {"a": ("folder", 5), "b": ("folder", 6), "c": ("folder/one", 4), "d": ("empty", 1)}
    rows = "".join(
        f"  {name}: {{path: '{tmp_path}/{path}', size: {size}}}\n"
        for name, (path, size) in wholes.items()
    )
    features = "".join(
        f"  {name}: {{extractor: wav2vec, checkpoint: {name}}}\n" for name in "abcde"
    )
    settings = write(
        tmp_path / "settings.yaml",
        f"checkpoints:\n{rows}  e: {{address: 'https://example.org/short.pt', size: 9}}\n"
        f"features:\n  bank: {{extractor: fbank}}\n{features}",
    )
    lines = listed(settings)
    assert [cells(lines, name)[-1] for name in "abcde"] == ["yes", "no", "no", "no", "no"]
    reasons = " ".join(line.strip() for line in lines)
    assert f"b: {folder}: there are 5 bytes, and checkpoints.b.size is 6; give the" in reasons
    assert f"c: {folder}/one: there are 3 bytes, and checkpoints.c.size is 4; give the" in reasons
    assert f"d: {empty}: the folder holds no file" in reasons
    assert "and checkpoints.e.size is 9; delete it, and it is fetched again" in reasons


def test_a_feature_waits_for_the_weights_of_its_transcript(tmp_path, monkeypatch):
    monkeypatch.setenv("EMONAS_CHECKPOINTS", str(tmp_path / "fetched"))
    (tmp_path / "here").mkdir()
    settings = write(
        tmp_path / "settings.yaml",
        f"""
checkpoints:
  here: {{path: "{tmp_path}/here"}}
  far: {{address: "https://example.org/far.pt", size: 2000000}}
  tiny: {{address: "https://example.org/tiny.pt", size: 75000000}}
  gone: {{path: "{tmp_path}/gone.pt"}}
transcripts:
  heard: {{recogniser: wenet, checkpoint: tiny}}
  unheard: {{recogniser: wenet, checkpoint: gone}}
features:
  bank: {{extractor: fbank}}
  own: {{extractor: bert, checkpoint: here}}
  a: {{extractor: bert, checkpoint: here, transcript: heard}}
  b: {{extractor: bert, checkpoint: far, transcript: heard}}
  c: {{extractor: bert, checkpoint: here, transcript: unheard}}
""",
    )
    lines = listed(settings)
    assert cells(lines, "own")[-1] == "yes"
    assert cells(lines, "a")[-1] == "heard: to be fetched, 75 MB"
    start = next(number for number, line in enumerate(lines) if line.startswith("b "))
    both = re.sub(r"\s+", " ", " ".join(lines[start : start + 2]))
    assert "to be fetched, 2 MB; heard: to be fetched, 75 MB" in both
    assert cells(lines, "c")[-1] == "no"
    assert "c: checkpoints.gone.path: there is no file" in " ".join(lines)


def test_an_original_that_is_not_installed_has_its_environment_named(tmp_path, monkeypatch):
    (tmp_path / "here.pt").write_bytes(b"x")
    weights = f'checkpoints: {{here: {{path: "{tmp_path}/here.pt"}}}}\n'
    settings = write(
        tmp_path / "settings.yaml",
        f"""{weights}
features:
  bank: {{extractor: fbank}}
  ours: {{extractor: wav2vec, checkpoint: here, backend: emonas}}
  a: {{extractor: wav2vec, checkpoint: here, backend: fairseq}}
  b: {{extractor: conformer, checkpoint: here, backend: wenet}}
""",
    )
    found = importlib.util.find_spec
    installed: set[str] = set()
    monkeypatch.setattr(
        "importlib.util.find_spec",
        lambda name, *rest: (
            (found("emonas") if name in installed else None)
            if name in ("fairseq", "wenet")
            else found(name, *rest)
        ),
    )
    lines = listed(settings)
    assert cells(lines, "ours")[-1] == "yes"
    assert cells(lines, "a")[-1] == "fairseq in envs/fairseq.yaml"
    assert cells(lines, "b")[-1] == "wenet in envs/wenet.yaml"
    installed.add("fairseq")
    lines = listed(settings)
    assert cells(lines, "a")[-1] == "yes"
    assert cells(lines, "b")[-1] == "wenet in envs/wenet.yaml"


def test_settings_that_are_wrong_are_one_sentence(tmp_path):
    with pytest.raises(EmonasError, match="did you mean fbank"):
        listed(write(tmp_path / "settings.yaml", "features: {bank: {extractor: fbnak}}\n"))
