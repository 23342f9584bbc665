"""Cards of their own for jobs: real processes that hold real locks on pretended cards."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from emonas.cards import OWN, VISIBLE, may_have_cards, own_card
from emonas.errors import EmonasError

PATIENCE = 60
JOB = """
import os, sys, time
from pathlib import Path
from emonas.cards import own_card

folder, name = Path(sys.argv[1]), sys.argv[2]
with own_card(1):
    (folder / f"{name}.new").write_text(os.environ["CUDA_VISIBLE_DEVICES"])
    (folder / f"{name}.new").rename(folder / name)
    while not (folder / f"end {name}").exists():
        time.sleep(0.01)
"""


@pytest.fixture
def jobs(tmp_path, monkeypatch):
    """Starts jobs, each of which holds a card until it is told to end; at the end all end."""
    (tmp_path / "locks").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "locks"))
    monkeypatch.setenv(OWN, "1")
    for name in ("SLURM_JOB_ID", VISIBLE):
        monkeypatch.delenv(name, raising=False)
    started = []

    def start(name, **environment):
        command = [sys.executable, "-c", JOB, str(tmp_path), name]
        started.append(subprocess.Popen(command, env={**os.environ, **environment}))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()


def card_of(folder: Path, name: str) -> str:
    begun = time.monotonic()
    while not (folder / name).exists():
        assert time.monotonic() - begun < PATIENCE, name
        time.sleep(0.01)
    return (folder / name).read_text()


def still_waits(folder: Path, name: str) -> bool:
    time.sleep(2)
    return not (folder / name).exists()


def test_as_many_jobs_as_cards_each_have_their_own_and_one_more_waits(jobs, tmp_path, monkeypatch):
    monkeypatch.setenv(VISIBLE, "0,1,2")
    for name in "abc":
        jobs(name)
    cards = {name: card_of(tmp_path, name) for name in "abc"}
    assert sorted(cards.values()) == ["0", "1", "2"]
    jobs("d")
    assert still_waits(tmp_path, "d")
    (tmp_path / "end b").touch()
    assert card_of(tmp_path, "d") == cards["b"]


@pytest.mark.fault
def test_the_card_of_a_killed_job_is_free(jobs, tmp_path, monkeypatch, tally):
    monkeypatch.setenv(VISIBLE, "4")
    first = jobs("a")
    assert card_of(tmp_path, "a") == "4"
    jobs("b")
    assert still_waits(tmp_path, "b")
    first.kill()
    tally("SIGKILL of a job that has a card")
    assert card_of(tmp_path, "b") == "4"


def test_what_slurm_gave_is_all_there_is(jobs, tmp_path):
    """Two SLURM jobs of one node may both call their card 0, and mean two."""
    jobs("a", SLURM_JOB_ID="7", **{VISIBLE: "0"})
    jobs("b", SLURM_JOB_ID="8", **{VISIBLE: "0"})
    assert [card_of(tmp_path, name) for name in "ab"] == ["0", "0"]
    jobs("c", SLURM_JOB_ID="8", **{VISIBLE: "0"})
    assert still_waits(tmp_path, "c")


def pretend_nvidia_smi(folder, monkeypatch, cards):
    program = folder / "nvidia-smi"
    program.write_text("#!/bin/sh\n" + "".join(f"echo {card}\n" for card in cards))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")


def test_where_nothing_is_said_nvidia_smi_names_the_cards(jobs, tmp_path, monkeypatch):
    pretend_nvidia_smi(tmp_path, monkeypatch, [0, 1])
    for name in "ab":
        jobs(name)
    assert sorted(card_of(tmp_path, name) for name in "ab") == ["0", "1"]


def test_no_card_where_none_is_asked_for(monkeypatch):
    monkeypatch.setenv(OWN, "1")
    monkeypatch.setenv(VISIBLE, "0,1")
    with own_card(0):
        assert os.environ[VISIBLE] == ""
    assert os.environ[VISIBLE] == "0,1"


def test_cards_are_shared_where_nobody_says_otherwise(monkeypatch):
    monkeypatch.delenv(OWN, raising=False)
    monkeypatch.delenv(VISIBLE, raising=False)
    with own_card(1):
        assert VISIBLE not in os.environ


@pytest.mark.parametrize("visible", ["", "-1", None])
def test_a_card_that_is_not_there_is_one_sentence(monkeypatch, tmp_path, visible):
    monkeypatch.setenv(OWN, "1")
    monkeypatch.delenv(VISIBLE, raising=False)
    if visible is not None:
        monkeypatch.setenv(VISIBLE, visible)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(EmonasError, match="leave out --resources gpu"), own_card(1):
        pass


def test_a_program_that_names_no_card_is_not_waited_for(monkeypatch, tmp_path):
    program = tmp_path / "nvidia-smi"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setenv(OWN, "1")
    monkeypatch.delenv(VISIBLE, raising=False)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert may_have_cards()
    with pytest.raises(EmonasError, match="nvidia-smi names none"), own_card(1):
        pass
    monkeypatch.setenv(VISIBLE, "")
    assert not may_have_cards()
