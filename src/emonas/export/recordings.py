"""Recordings as pieces to predict: whole, or in windows where they are long."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from emonas.corpora.audio import SHORTEST, UnusableAudioError, inspect_audio
from emonas.corpora.tree import read_tree
from emonas.errors import EmonasError

if TYPE_CHECKING:
    from emonas.storage.features import Array

STANDARD_INPUT = "-"
ENDINGS = frozenset({".aif", ".aiff", ".flac", ".mp3", ".oga", ".ogg", ".opus", ".wav"})


_LOUDEST = 4.0
"""Decoders go a little over full scale where a recording was clipped."""


@dataclass(frozen=True)
class Windows:
    """How a long recording is cut: one of more than `longest` seconds into windows of `length`
    seconds, one every `step` seconds. The last one ends with the recording.
    """

    longest: float = 30.0
    length: float = 10.0
    step: float = 5.0

    def __post_init__(self) -> None:
        if not 0 < self.step <= self.length <= self.longest:
            raise EmonasError(
                f"--step {self.step:g}, --window {self.length:g} and --longest {self.longest:g}: "
                "each has to be at most the next, and more than 0 seconds"
            )

    def spans(self, seconds: float) -> list[tuple[float, float]]:
        """Start and end of each window in seconds."""
        if seconds <= self.longest:
            return [(0.0, seconds)]
        count = int(np.ceil((seconds - self.length) / self.step))
        starts = [number * self.step for number in range(count)]
        return [(start, start + self.length) for start in starts] + [
            (seconds - self.length, seconds)
        ]


@dataclass(frozen=True)
class Recording:
    """An audio file, and the name that it is told by; `problem` where it can't be heard."""

    name: str
    path: Path
    seconds: float = 0.0
    sampling_rate: int = 0
    problem: str = ""


@dataclass(frozen=True)
class Piece:
    """What is predicted at once: a recording from `start` to `end` in seconds, as a file."""

    recording: str
    start: float
    end: float
    path: Path
    sampling_rate: int


def find(sources: Iterable[str], folder: Path, given: BinaryIO | None = None) -> list[Recording]:
    """The recordings that are named: files, folders with audio anywhere below them, and `-` for
    standard input, which is kept in `folder`.

    Raises:
        EmonasError: a name leads nowhere, or a folder holds no audio.
    """
    named = list(sources)
    if named.count(STANDARD_INPUT) > 1:
        raise EmonasError(f"{STANDARD_INPUT}: standard input can be heard once; name it once")
    return [
        inspect(name, path)
        for source in named
        for name, path in _named(source, folder, given or sys.stdin.buffer)
    ]


def _named(source: str, folder: Path, given: BinaryIO) -> Iterator[tuple[str, Path]]:
    if source == STANDARD_INPUT:
        path = folder / "standard-input"
        with path.open("wb") as file:
            shutil.copyfileobj(given, file)
        yield "standard input", path
        return
    path = Path(source)
    if not path.exists():
        raise EmonasError(f"{path}: there is no such file or folder; correct the name")
    if not path.is_dir():
        yield source, path
        return
    inside = [one for one in read_tree(path).paths if one.suffix.lower() in ENDINGS]
    if not inside:
        raise EmonasError(
            f"{path}: there is no audio below this folder; audio ends in "
            f"{', '.join(sorted(ENDINGS))}"
        )
    for below in sorted(inside):
        yield str(below), below


def inspect(name: str, path: Path) -> Recording:
    """A recording with its length, or with what is wrong with it."""
    try:
        facts = inspect_audio(path)
    except UnusableAudioError as error:
        return Recording(name, path, problem=str(error))
    return Recording(name, path, facts.seconds, facts.sampling_rate)


def cut(recording: Recording, windows: Windows, folder: Path) -> list[Piece]:
    """The pieces of a recording that can be heard; windows are written into `folder`."""
    spans = windows.spans(recording.seconds)
    if len(spans) == 1:
        ((start, end),) = spans
        return [Piece(recording.name, start, end, recording.path, recording.sampling_rate)]
    return list(_cut(recording, spans, folder))


def _cut(
    recording: Recording, spans: Sequence[tuple[float, float]], folder: Path
) -> Iterator[Piece]:
    import soundfile

    rate = recording.sampling_rate
    with soundfile.SoundFile(recording.path) as file:
        for number, (start, end) in enumerate(spans):
            first, last = round(start * rate), round(end * rate)
            file.seek(first)
            samples = file.read(last - first, dtype="float32", always_2d=True)
            path = folder / f"{number:06d}.wav"
            write_waveform(path, samples.mean(axis=1, dtype=np.float32), rate)
            yield Piece(recording.name, start, end, path, rate)


def write_waveform(path: Path, waveform: Array, sampling_rate: float) -> None:
    """Write (samples,) as they are, without rounding; whole numbers are of their type's full scale.

    Raises:
        EmonasError: they are no recording.
    """
    import soundfile

    samples = np.asarray(waveform)
    if not sampling_rate > 0 or sampling_rate != int(sampling_rate):
        raise EmonasError(f"a sampling rate is a whole number of Hz, not {sampling_rate}")
    if np.issubdtype(samples.dtype, np.signedinteger):
        samples = samples / -float(np.iinfo(samples.dtype.name).min)
    if samples.ndim != 1 or len(samples) < SHORTEST * sampling_rate:
        raise EmonasError(
            f"a waveform is of one channel, (samples,), and at least {SHORTEST} s long; this one "
            f"is {samples.shape} at {sampling_rate} Hz"
        )
    _refuse_strange(samples)
    samples = samples.astype(np.float32)
    soundfile.write(path, samples, int(sampling_rate), subtype="FLOAT", format="WAV")


def _refuse_strange(samples: Array) -> None:
    """Refuse what would get an answer like any other: no numbers, another scale, silence."""
    if not np.isfinite(samples).all():
        raise EmonasError("a waveform holds numbers that are none; take them out")
    largest = float(np.abs(samples).max())
    if largest > _LOUDEST:
        raise EmonasError(
            f"a waveform of floats has full scale at 1, and this one reaches {largest:g}; divide "
            "it by its full scale, such as 32768"
        )
    if largest == 0:
        raise EmonasError("a waveform is silent: all of its samples are 0")
