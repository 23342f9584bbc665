"""One copy of the checkout, in a folder with a blank in its name, and one finished tiny run."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil
import pytest
import soundfile
import yaml
from filelock import FileLock

CHECKOUT = Path(__file__).parents[2]
PARTS = (".ci", "Makefile", "Snakefile", "config.yaml", "envs", "pyproject.toml", "src", "workflow")
SETTINGS = Path(__file__).with_name("tiny.yaml")
RATE = 16000
EMONAS = "from emonas.cli import app; app()"


@dataclass(frozen=True)
class Job:
    """A job as Snakemake announces it; `name` is its rule and wildcards: `train tiny/cnn/0/a`."""

    name: str
    inputs: frozenset[str]
    outputs: frozenset[str]


def announced(said: str) -> list[Job]:
    """The jobs that Snakemake says it runs, or would run."""
    found = []
    for rule, body in re.findall(
        r"^(?:local)?(?:rule|checkpoint) (\w+):\n((?:    .*\n)*)", said, flags=re.MULTILINE
    ):
        told = dict(re.findall(r"^    (\w+): (.*)$", body, flags=re.MULTILINE))
        values = [pair.split("=")[1] for pair in told.get("wildcards", "").split(", ") if pair]
        files = {
            key: frozenset(path for path in told.get(key, "").split(", ") if path)
            for key in ("input", "output")
        }
        found.append(Job(f"{rule} {'/'.join(values)}".strip(), files["input"], files["output"]))
    return found


@dataclass(frozen=True)
class Checkout:
    """A copy of the checkout, the working folder of Snakemake."""

    folder: Path

    def start(self, *arguments: str) -> list[str]:
        """The command line of Snakemake on the tiny settings."""
        return [sys.executable, "-m", "snakemake", "--configfile", "tiny.yaml", *arguments]

    def environment(self) -> dict[str, str]:
        """The package under test is the copy's, whose sources a test may change."""
        kept = {name: value for name, value in os.environ.items() if name != "EMONAS_DATA"}
        return {
            **kept,
            "PYTHONPATH": str(self.folder / "src"),
            "PYTHONDONTWRITEBYTECODE": "1",
            "OMP_NUM_THREADS": "1",
        }

    def run(self, command: Sequence[str], fails: bool = False, folder: Path | None = None) -> str:
        """Everything that a command says; whether it fails is asserted."""
        done = subprocess.run(
            command,
            cwd=folder or self.folder,
            env=self.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert (done.returncode != 0) == fails, done.stdout
        return done.stdout

    def emonas(
        self, *arguments: object, given: bytes | None = None, first: str = ""
    ) -> subprocess.CompletedProcess[bytes]:
        """A command of the package, behind what Python does `first`; its answer apart from its
        progress: how long it takes is no test's business.
        """
        return subprocess.run(
            [sys.executable, "-c", f"{first}\n{EMONAS}", *map(str, arguments)],
            cwd=self.folder,
            env=self.environment(),
            input=given,
            capture_output=True,
            check=False,
        )

    def snakemake(self, *arguments: str, fails: bool = False) -> str:
        """What Snakemake says on the tiny settings."""
        return self.run(self.start(*arguments), fails)

    def begin(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Start Snakemake on the tiny settings, and do not wait for it."""
        return subprocess.Popen(
            self.start(*arguments),
            cwd=self.folder,
            env=self.environment(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def kill(self, process: subprocess.Popen[bytes]) -> None:
        """Kill a process and all that it started, at once."""
        for one in [*psutil.Process(process.pid).children(recursive=True), process]:
            with suppress(psutil.NoSuchProcess):
                one.kill()
        process.wait()

    def announced(self, said: str) -> list[Job]:
        """The jobs in what Snakemake said."""
        return announced(said)

    def reruns(self, *arguments: str) -> set[str]:
        """The names of the jobs that would run, besides the target itself."""
        said = self.snakemake("-n", *arguments)
        names = {job.name for job in announced(said)} - {"all"}
        assert names or "Nothing to be done" in said, said
        return names

    def rewrite(self, change: Callable[[dict], object]) -> None:
        """Change the tiny settings."""
        path = self.folder / "tiny.yaml"
        settings = yaml.safe_load(path.read_text())
        change(settings)
        path.write_text(yaml.safe_dump(settings, sort_keys=False))

    def comment(self, source: str, text: str = "# a comment\n") -> None:
        """Append a comment to a source file."""
        path = self.folder / source
        path.write_text(path.read_text() + text)

    def copy(self, folder: Path) -> "Checkout":
        """A copy with the same times, so that Snakemake sees the same state."""
        shutil.copytree(self.folder, folder, symlinks=True)
        return Checkout(folder)


def _tone(path: Path, pitch: float, seconds: float) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    time = np.arange(int(RATE * seconds)) / RATE
    noise = np.random.default_rng(int(pitch)).normal(0, 0.01, len(time))
    soundfile.write(path, 0.3 * np.sin(2 * np.pi * pitch * time) + noise, RATE, subtype="PCM_16")


def _own_speech(root: Path) -> None:
    """Four speakers of two emotions; dora is never sad, and three files can't be used."""
    for number, speaker in enumerate(("anna", "bert", "carl", "dora")):
        for take in range(3):
            _tone(root / "happy" / f"{speaker} {take}.wav", 600 + 20 * number + take, 0.6)
            if speaker != "dora":
                _tone(root / "sad" / f"{speaker} {take}.wav", 150 + 20 * number + take, 0.6)
    _tone(root / "sad" / "anna truncated.wav", 200, 0.6)
    truncated = root / "sad" / "anna truncated.wav"
    truncated.write_bytes(truncated.read_bytes()[:6000])
    soundfile.write(root / "sad" / "bert silent.wav", np.zeros(RATE), RATE, subtype="PCM_16")
    (root / "sad" / "carl letter.wav").write_text("Dear Carl, this is no audio.\n" * 40)


@pytest.fixture(scope="session")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """The checkout with the tiny settings; nothing has run. No test changes it."""
    folder = tmp_path_factory.mktemp("fresh") / "my copy"
    folder.mkdir()
    for part in PARTS:
        source = CHECKOUT / part
        if source.is_dir():
            # What numba has compiled goes along: to compile takes longer than most of these runs.
            ignored = shutil.ignore_patterns("*.pyc", "*.tmp.*", "*.egg-info")
            shutil.copytree(source, folder / part, ignore=ignored)
        else:
            shutil.copy2(source, folder / part)
    shutil.copy2(SETTINGS, folder / "tiny.yaml")
    _own_speech(folder / "own speech")
    return Checkout(folder)


@dataclass(frozen=True)
class Finished(Checkout):
    """A run that has ended, and everything that it said. No test changes it."""

    said: str


@pytest.fixture(scope="session")
def finished(fresh: Checkout, tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """The tiny settings run to their end, once for all processes that test."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    folder, said = shared / "finished" / "my run", shared / "finished" / "said.txt"
    with FileLock(shared / "finished.lock"):
        if not said.exists():
            whole = fresh.copy(folder).snakemake("--cores", "2")
            said.write_text(whole, encoding="utf-8")
    return Finished(folder, said.read_text(encoding="utf-8"))


@pytest.fixture
def changed(finished: Finished, tmp_path: Path) -> Checkout:
    """A copy of the finished run, for a test to change."""
    return finished.copy(tmp_path / "a changed run")
