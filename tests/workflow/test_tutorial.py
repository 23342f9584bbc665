"""Every block of docs/tutorial.md, run in its order; what it shows is held against what came."""

import re
import shlex
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
PAGE = Path(__file__).parents[2] / "docs/tutorial.md"


@dataclass(frozen=True)
class Block:
    """A block of code; `file` is the name under which the line before says to write it."""

    language: str
    text: str
    file: str


def blocks(page):
    """The blocks of a page in their order."""
    found = re.findall(
        r"(?:as `([\w.-]+)`:\n\n)?^```(\w*)\n(.*?)^```$", page, flags=re.MULTILINE | re.DOTALL
    )
    return [Block(language, text, file) for file, language, text in found]


def shown(line, said):
    """Whether a line of the page is among those that came; `...` stands for anything."""
    pattern = ".*".join(map(re.escape, line.split("...")))
    return any(re.fullmatch(pattern, one.rstrip()) for one in said.splitlines())


class Reader:
    """Does what the page says, in a checkout."""

    def __init__(self, checkout):
        self._checkout = checkout
        self._exports = []

    def follow(self, block):
        """Do what a block says; gives what came of it."""
        if block.file:
            (self._checkout.folder / block.file).write_text(block.text)
            return ""
        command = block.text if block.language == "sh" else f"python -c {shlex.quote(block.text)}"
        said = self._checkout.run(["bash", "-ec", "".join([*self._exports, command])])
        self._exports += re.findall(r"^export .*\n", command, flags=re.MULTILINE)
        return said


@pytest.fixture
def checkout(fresh, tmp_path):
    """One in which nothing has run, and in which the environment is already there."""
    there = fresh.copy(tmp_path / "my checkout")
    environment = there.folder / ".venv"
    environment.mkdir()
    for name in ("bin", "lib", "lib64", "pyvenv.cfg"):
        if (source := Path(sys.prefix, name)).exists():
            (environment / name).symlink_to(source)
    (environment / ".ready").touch()
    return there


def test_the_tutorial_runs_as_it_stands(checkout):
    text = PAGE.read_text()
    page = blocks(text)
    assert 2 * len(page) == text.count("```")
    assert {block.language for block in page} == {"sh", "python", "yaml", "text"}
    assert len(page) > 20
    reader, said = Reader(checkout), ""
    for block in page:
        if block.language == "text":
            missing = [line for line in block.text.splitlines() if not shown(line, said)]
            assert not missing, f"{missing} is not in:\n{said}"
        else:
            assert block.file or block.language != "yaml", block.text
            said = reader.follow(block)
    assert (checkout.folder / "my-model/README.md").is_file()


def test_a_line_that_did_not_come_is_missed():
    assert shown("a ... c", "x\na b c\n")
    assert not shown("a ... c", "x\na b d\n")
    assert not shown("b", "a b c\n")
