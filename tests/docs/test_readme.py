"""What README says can be done as it stands."""

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from emonas.cli.main import application
from emonas.settings.load import load_settings
from emonas.settings.plan import Plan

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "README.md").read_text()
SHELL = "".join(re.findall(r"^```sh\n(.*?)^```$", TEXT, flags=re.MULTILINE | re.DOTALL))


def test_the_settings_of_one_s_own_corpus_hold(tmp_path, monkeypatch):
    (block,) = re.findall(r"^```yaml\n(.*?)^```$", TEXT, flags=re.MULTILINE | re.DOTALL)
    monkeypatch.chdir(tmp_path)
    Path("mine.yaml").write_text(block)
    Path("mine.csv").write_text("audio,emotion\n")
    assert Plan(load_settings(Path("mine.yaml"))).runs == {("mine", "linear"): 1}


def test_every_target_and_settings_file_is_there():
    makefile = (ROOT / "Makefile").read_text()
    targets = re.findall(r"\bmake ([a-z-]+)", TEXT)
    assert {"run", "test", "help", "pictures"} <= set(targets)
    for target in targets:
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
    files = re.findall(r"CONFIG=(workflow/\S+)", SHELL)
    assert files
    for file in [*files, *(f"workflow/papers/{name}" for name in papers())]:
        assert (ROOT / file).is_file(), file


def papers():
    return re.findall(r"^\|.*\| `([\w-]+\.yaml)` \|", TEXT, flags=re.MULTILINE)


def test_every_paper_has_its_row():
    assert sorted(papers()) == sorted(path.name for path in ROOT.glob("workflow/papers/*.yaml"))


@pytest.mark.parametrize("line", re.findall(r"^emonas [^#\n]*", SHELL, flags=re.MULTILINE))
def test_every_command_and_option_is_there(line):
    _, command, *words = line.split()
    done = CliRunner(env={"COLUMNS": "200"}).invoke(application, [command, "--help"])
    assert done.exit_code == 0, line
    for option in (word for word in words if word.startswith("--")):
        assert option in done.output


def test_every_known_corpus_is_counted():
    kept = {"csv", "folders", "synthetic", "__init__"}
    readers = {path.stem for path in ROOT.glob("src/emonas/corpora/readers/*.py")} - kept
    number = {7: "Seven", 8: "Eight", 9: "Nine"}[len(readers)]
    assert f"{number} known corpora have a reader" in TEXT
