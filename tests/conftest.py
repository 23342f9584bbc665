import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

HEADER = "% [START_TIME - END_TIME] TURN_NAME EMOTION [V, A, D]\n\n"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--tally", metavar="FOLDER", help="write what tests of faults counted there")


@pytest.fixture(autouse=True, scope="session")
def _one_thread() -> None:
    torch.set_num_threads(1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What `make test` leaves out, another target has to run.

    Files that run the workflow, or train, come first: a file is one process's, and the last is to
    be short.
    """
    items.sort(key=lambda item: not item.nodeid.startswith(("tests/workflow/", "tests/train/")))
    for item in items:
        marks = {mark.name for mark in item.iter_markers()}
        if "long" in marks and "fault" not in marks:
            raise pytest.UsageError(f"{item.nodeid}: no target of the Makefile runs it")


PASSED = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]):
    report = yield
    if report.when == "call":
        item.stash[PASSED] = report.passed
    return report


@pytest.fixture
def tally(request) -> Iterator[Callable[..., None]]:
    """Counts what a test of faults did, for docs/reliability.md: `tally("SIGKILL of a search", 3)`.

    With `--tally FOLDER` the counts of a test that passed are written there, a file a test;
    `make test-faults` reads them.
    """
    counts: dict[str, int] = {}

    def count(fault: str, times: int = 1) -> None:
        counts[fault] = counts.get(fault, 0) + times

    yield count
    folder = request.config.getoption("--tally")
    if folder and counts and request.node.stash.get(PASSED, False):
        Path(folder).mkdir(parents=True, exist_ok=True)
        name = re.sub(r"\W+", "-", request.node.nodeid)
        (Path(folder) / f"{name}.json").write_text(json.dumps(counts))


@pytest.fixture
def tone() -> Callable[..., Path]:
    """Writes half a second of a tone; `pitch` makes recordings differ."""

    def write(path: Path, pitch: float = 200, rate: int = 16000) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        seconds = np.arange(rate // 2) / rate
        samples = np.rint(10000 * np.sin(2 * np.pi * pitch * seconds)).astype(np.int16)
        soundfile.write(path, samples, rate, subtype="PCM_16")
        return path

    return write


def block(turn: str, emotion: str) -> str:
    return (
        f"[6.2901 - 8.2357]\t{turn}\t{emotion}\t[2.5000, 2.5000, 2.5000]\n"
        "C-E2:\tNeutral;\t()\nC-E3:\tSadness; Anger;\t(tired)\nC-F1:\tAnger;\t()\n"
        "A-E3:\tval 3; act 2; dom  2;\t()\nA-F1:\tval 3; act 2; dom  1;\t()\n\n"
    )


def write_dialog(tone, root: Path, dialog: str, turns: dict[str, str], pitch: int) -> None:
    session = root / f"Session{dialog[4]}"
    for step, turn in enumerate(turns):
        name = f"{dialog}_{turn}.wav"
        tone(session / "sentences" / "wav" / dialog / name, pitch=pitch + 7 * step)
        (session / "sentences" / "wav" / dialog / f"._{name}").write_bytes(b"\0\5\x16\7")
    evaluation = session / "dialog" / "EmoEvaluation"
    (evaluation / "Categorical").mkdir(parents=True, exist_ok=True)
    (evaluation / "Categorical" / f"{dialog}_e1_cat.txt").write_text("ignored\n")
    (evaluation / f"{dialog}.txt").write_text(
        HEADER + "".join(block(f"{dialog}_{turn}", code) for turn, code in turns.items())
    )
    (evaluation / f"._{dialog}.txt").write_bytes(b"\0\5\x16\7\xff")
    words = session / "dialog" / "transcriptions"
    words.mkdir(parents=True, exist_ok=True)
    (words / f"{dialog}.txt").write_text(
        "".join(
            f"{dialog}_{turn} [006.2901-008.2357]: These are the words of {turn}.\n"
            for turn in turns
        )
        + f"{dialog}_MXX0 [009.0000-009.5000]: [LAUGHTER]\nM: [BREATHING]\n"
    )


@pytest.fixture
def iemocap_tree(tone, tmp_path: Path) -> Path:
    """A tree in IEMOCAP's layout: five sessions with two dialogs each, named after the
    woman and after the man, and in each dialog both speak.
    """
    root = tmp_path / "IEMOCAP full release"
    for session in range(1, 6):
        women, men = f"Ses0{session}F", f"Ses0{session}M"
        write_dialog(
            tone, root, f"{women}_impro01", {"F000": "neu", "M003": "exc"}, 200 + 100 * session
        )
        write_dialog(
            tone, root, f"{men}_script01_1b", {"F000": "ang", "M001": "xxx"}, 250 + 100 * session
        )
    return root
