"""The commands for people, as a user calls them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from emonas.cli.use import _envs

ROOT = Path(__file__).parents[2]
EMONAS = [sys.executable, "-c", "from emonas.cli import app; app()"]


def emonas(*arguments, folder=ROOT, **environment):
    kept = {name: value for name, value in os.environ.items() if name != "EMONAS_DATA"}
    return subprocess.run(
        [*EMONAS, *map(str, arguments)],
        cwd=folder,
        env=kept | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_check_lists_what_runs():
    done = emonas("check")
    assert done.returncode == 0
    assert "runs     demo: emotionnas, seeds: 1" in done.stdout.splitlines()


def test_check_says_what_is_skipped_and_finds_the_data_folder(tmp_path):
    example = ROOT / "workflow/examples/emodb.yaml"
    skipped = emonas("check", example)
    assert skipped.returncode == 0
    assert "skipped  emodb-" in skipped.stdout
    assert "$EMONAS_DATA/emodb" in skipped.stdout
    (tmp_path / "my data/emodb").mkdir(parents=True)
    done = emonas("check", example, EMONAS_DATA=str(tmp_path / "my data"))
    assert "$EMONAS_DATA/emodb" not in done.stdout
    assert "runs     emodb-groups: emodb-cnn" in done.stdout
    assert "runs     emodb-" in done.stdout


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (None, "emonas: my settings.yaml: can't be read (No such file or directory)"),
        ("runs: [", "emonas: my settings.yaml: this is no YAML (while parsing"),
        ("runs: []", "emonas: protocols: is missing"),
    ],
)
def test_what_is_wrong_is_one_sentence(tmp_path, text, sentence):
    if text is not None:
        (tmp_path / "my settings.yaml").write_text(text)
    done = emonas("check", "my settings.yaml", folder=tmp_path)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith(sentence)
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("command", ["check", "forecast"])
def test_a_table_of_no_use_is_told_before_anything_else(tmp_path, command):
    (tmp_path / "t.csv").write_text("audio,speaker,emotion\n../a.wav,s,sad\n")
    (tmp_path / "s.yaml").write_text(
        "corpora: {own: {reader: csv, table: t.csv}}\n"
        "features: {fbank: {extractor: fbank}}\n"
        "protocols: {loso: {corpora: [own], test: speaker}}\n"
        "systems: {linear: {network: linear, inputs: [fbank]}}\n"
        "runs: [{protocol: loso, systems: [linear]}]\n"
    )
    done = emonas(command, "s.yaml", folder=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("emonas: corpora.own: no utterance can be used: ")


def test_locks_are_those_of_the_folder_or_of_the_checkout(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert _envs() == ROOT / "envs"
    (tmp_path / "envs").mkdir()
    assert _envs() == Path("envs")


def test_reference_writes_into_the_folder_given(tmp_path):
    done = emonas("reference", tmp_path / "my docs")
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in (tmp_path / "my docs").iterdir()) == [
        "settings.md",
        "settings.schema.json",
    ]


def test_help_lists_the_commands():
    done = emonas("--help")
    for command in ("check", "forecast", "reference"):
        assert command in done.stdout
    assert emonas("chekc").returncode == 2


def test_checking_settings_imports_no_torch():
    script = (
        "import sys; from pathlib import Path\n"
        "from emonas.settings.load import load_settings\n"
        "from emonas.settings.plan import Plan\n"
        "plan = Plan(load_settings(Path('config.yaml')))\n"
        "plan.train_params('cnn'), plan.search_params('rnn'), plan.runs, plan.skipped\n"
        "assert 'torch' not in sys.modules and 'librosa' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=True)
