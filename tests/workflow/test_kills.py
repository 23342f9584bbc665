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

import psutil
import pytest
import torch

from emonas.features.kept import KEEP
from emonas.networks.audio_ntt import AudioNTT2020

SETTINGS = Path(__file__).with_name("kills.yaml")
PATIENCE = 300
STEP = re.compile(r": (\d+) of \d+, (.*)")
pytestmark = [pytest.mark.fault, pytest.mark.long]


class Kind(NamedTuple):
    """A kind of job: what it writes, its log, how often it is killed, and how many of the steps
    that it told of it may do again.
    """

    folder: str
    files: tuple[str, ...]
    log: str
    kills: int
    again: int = 1


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
        12,
    ),
    "fine-tuning": Kind(
        "results/train/half/tuned/seed0/group1",
        TRAINED,
        "results/logs/train/half/tuned-seed0-group1.log",
        12,
    ),
    "extraction": Kind(
        "results/features/spoken",
        ("vectors.h5",),
        "results/logs/features/spoken-vectors.log",
        11,
        again=0,
    ),
}


@pytest.fixture(scope="module")
def undisturbed(fresh, tmp_path_factory):
    checkout = fresh.copy(tmp_path_factory.mktemp("kills") / "my run")
    shutil.copy2(SETTINGS, checkout.folder / "tiny.yaml")
    torch.manual_seed(0)
    torch.save(AudioNTT2020(512).state_dict(), checkout.folder / "random.pth")
    checkout.snakemake("--cores", "2")
    return checkout


class Victim:
    """A run whose one job is killed.

    Attributes:
        seconds: from the beginning of the job's log to its file.
        steps: the job's epochs or utterances.
        ended: whether it ran to its end the last time.
        went_on: how often a job began behind what an earlier one had done.
    """

    def __init__(self, checkout, kind, wanted):
        self.checkout, self.kind, self.wanted = checkout, kind, wanted
        self.folder = checkout.folder / kind.folder
        self.file = self.folder / kind.files[0]
        self.log = checkout.folder / kind.log
        self.command = ("--cores", "1", "--rerun-incomplete", f"{kind.folder}/{kind.files[0]}")
        self.ended = False
        self.went_on = 0
        self.forget()

    def forget(self):
        """The next job begins anew."""
        for file in self.kind.files:
            (self.folder / file).unlink(missing_ok=True)
        self.reached = 0
        self.done = set()

    def measure(self):
        """Run it to its end."""
        process = self.begin()
        begun = time.monotonic()
        self.wait(process, self.file.exists)
        self.seconds = time.monotonic() - begun
        assert process.wait() == 0
        self.ended = True
        self.steps = len(self.told())
        self.end()

    def begin(self):
        """Start, and wait for the job to begin; it may have ended before the last kill."""
        self.log.unlink(missing_ok=True)
        process = self.checkout.begin(*self.command)
        self.wait(process, self.log.exists)
        return process

    def wait(self, process, until):
        begun = time.monotonic()
        while process.poll() is None and not until():
            assert time.monotonic() - begun < PATIENCE
            time.sleep(0.002)

    def told(self):
        """The steps that the log tells of: number and text."""
        return STEP.findall(self.log.read_text()) if self.log.exists() else []

    def killed(self, steps, seconds):
        """Whether a job at work was killed, so many seconds after it had told of so many steps.

        It was at work where it held its log open then, and has not come to write its file.
        """
        process = self.begin()
        self.wait(process, lambda: len(self.told()) >= steps or self.file.exists())
        time.sleep(seconds)
        worked = process.poll() is None and self.at_work(process)
        status = process.poll()
        assert status in (None, 0)
        self.ended = status == 0
        if not self.ended:
            self.checkout.kill(process)
            self.checkout.snakemake("--unlock")
        self.note()
        return worked and not self.file.exists()

    def at_work(self, process):
        """Whether a process below Snakemake is the job's."""
        for child in psutil.Process(process.pid).children(recursive=True):
            try:
                if any(Path(file.path) == self.log.resolve() for file in child.open_files()):
                    return True
            except psutil.NoSuchProcess:
                pass
        return False

    def note(self):
        """At most one epoch is done again, and no utterance that was done."""
        steps = self.told()
        if not steps:
            return
        assert int(steps[0][0]) + self.kind.again > self.reached
        self.went_on += int(steps[0][0]) > 1
        self.reached = int(steps[-1][0])
        if not self.kind.again:
            # A batch is an utterance here, and kept before the log names it.
            names = {name for _, name in steps}
            assert not names & self.done
            self.done |= names

    def end(self):
        """Let the job end where it has not, and compare what it wrote; then begin anew."""
        if not self.ended:
            self.log.unlink(missing_ok=True)
            self.checkout.snakemake(*self.command)
            self.note()
        for file in self.kind.files:
            there = self.wanted.folder / self.kind.folder / file
            assert (self.folder / file).read_bytes() == there.read_bytes(), file
        left = self.checkout.folder / "results/resume"
        assert [path for path in left.rglob("*") if path.is_file()] == []
        self.forget()


@pytest.mark.parametrize("name", KINDS)
def test_a_job_killed_at_random_moments_gives_the_same_bytes(
    name, undisturbed, tmp_path, tally, monkeypatch
):
    # The undisturbed run kept nothing, in its few seconds.
    monkeypatch.setenv(KEEP, "0")
    kind = KINDS[name]
    victim = Victim(undisturbed.copy(tmp_path / "a killed run"), kind, undisturbed)
    victim.measure()
    moments = random.Random(name)  # noqa: S311 (no secret)
    kills = 0
    while kills < kind.kills:
        # In steps, because others may take the processors: else all could come before the first.
        steps = moments.randint(0, victim.steps // 4)
        if victim.killed(steps, moments.uniform(0, victim.seconds / 6)):
            kills += 1
        else:
            victim.end()
    victim.end()
    assert victim.went_on > 0
    tally(f"SIGKILL of {name}", kills)
