"""Jobs that are killed at random moments, again and again, give what nobody disturbed.

Killed is Snakemake with all that it started, as a node that dies would; then its lock is taken off,
and the same command is given.
"""

import random
import re
import shutil
import time
from pathlib import Path
from typing import NamedTuple

import pytest

SETTINGS = Path(__file__).with_name("kills.yaml")
PATIENCE = 120
pytestmark = [pytest.mark.fault, pytest.mark.long]


class Kind(NamedTuple):
    """A kind of job: what it writes, its log, and how often it is killed."""

    folder: str
    files: tuple[str, ...]
    log: str
    kills: int


TRAINED = ("predictions.h5", "history.csv", "cost.json", "weights.safetensors")
KINDS = {
    "search": Kind(
        "results/search/half/cnn/seed0/group1",
        ("genotype.json", "history.csv", "weights.safetensors"),
        "results/logs/search/half/cnn-seed0-group1.log",
        15,
    ),
    "training": Kind(
        "results/train/half/rnn/seed0/group1",
        TRAINED,
        "results/logs/train/half/rnn-seed0-group1.log",
        13,
    ),
    "fine-tuning": Kind(
        "results/train/half/tuned/seed0/group1",
        TRAINED,
        "results/logs/train/half/tuned-seed0-group1.log",
        12,
    ),
    "extraction": Kind(
        "results/features/spoken", ("fbank.h5",), "results/logs/features/spoken-fbank.log", 10
    ),
}


@pytest.fixture(scope="module")
def undisturbed(fresh, tmp_path_factory):
    checkout = fresh.copy(tmp_path_factory.mktemp("kills") / "my run")
    shutil.copy2(SETTINGS, checkout.folder / "tiny.yaml")
    checkout.snakemake("--cores", "2")
    return checkout


class Victim:
    """A run whose one job is killed."""

    def __init__(self, checkout, kind):
        self.checkout, self.kind = checkout, kind
        self.folder = checkout.folder / kind.folder
        self.log = checkout.folder / kind.log
        self.command = ("--cores", "1", "--rerun-incomplete", f"{kind.folder}/{kind.files[0]}")
        self.reached = 0

    def forget(self):
        for file in self.kind.files:
            (self.folder / file).unlink(missing_ok=True)
        self.log.unlink(missing_ok=True)
        self.reached = 0

    def measure(self):
        """How long the job takes."""
        self.forget()
        process = self.begin()
        begun = time.monotonic()
        process.wait()
        return time.monotonic() - begun

    def begin(self):
        """Start, and wait for the job to begin; it may have ended before the last kill."""
        self.log.unlink(missing_ok=True)
        process = self.checkout.begin(*self.command)
        begun = time.monotonic()
        while process.poll() is None and not self.log.exists():
            assert time.monotonic() - begun < PATIENCE
            time.sleep(0.002)
        return process

    def note_epochs(self):
        """At most one epoch is done twice."""
        text = self.log.read_text() if self.log.exists() else ""
        epochs = [int(epoch) for epoch in re.findall(r": (\d+) of \d+, ", text)]
        if epochs and self.kind.files != ("fbank.h5",):
            assert epochs[0] >= self.reached
            self.reached = epochs[-1]

    def check(self, wanted):
        for file in self.kind.files:
            there = wanted.folder / self.kind.folder / file
            assert (self.folder / file).read_bytes() == there.read_bytes(), file


@pytest.mark.parametrize("name", KINDS)
def test_a_job_killed_at_random_moments_gives_the_same_bytes(name, undisturbed, tmp_path, tally):
    kind = KINDS[name]
    victim = Victim(undisturbed.copy(tmp_path / "a killed run"), kind)
    seconds = victim.measure()
    victim.check(undisturbed)
    victim.forget()
    moments = random.Random(name)  # noqa: S311 (no secret)
    killed = 0
    while killed < kind.kills:
        process = victim.begin()
        time.sleep(moments.uniform(0, 0.9 * seconds))
        if process.poll() is None:
            victim.checkout.kill(process)
            killed += 1
            victim.note_epochs()
            victim.checkout.snakemake("--unlock")
        else:
            assert process.returncode == 0
            victim.note_epochs()
            victim.check(undisturbed)
            victim.forget()
    victim.log.unlink(missing_ok=True)
    victim.checkout.snakemake(*victim.command)
    victim.note_epochs()
    victim.check(undisturbed)
    tally(f"SIGKILL of {name}", killed)
    left = victim.checkout.folder / "results/resume"
    assert [path for path in left.rglob("*") if path.is_file()] == []
