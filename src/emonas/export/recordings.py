"""Recordings as pieces to predict: whole, or in windows where they are long."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from numbers import Real
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from emonas.corpora.audio import (
    RATES,
    SHORTEST,
    SILENCE,
    StraightFile,
    UnusableAudioError,
    inspect_audio,
)
from emonas.corpora.reading import AUDIO_SUFFIXES, Listing, audio_files
from emonas.corpora.unread import is_unread, unread_media
from emonas.errors import EmonasError
from emonas.export.windows import Windows
from emonas.jobs import report_line

if TYPE_CHECKING:
    from emonas.storage.features import Array

STANDARD_INPUT = "-"
_WHOLE = (np.int16, np.int32)
"""Whole numbers whose full scale is that of their type, as libraries read files."""
_LOUDEST = 4.0
"""Decoders go a little over full scale where a recording was clipped."""


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
    """What is predicted at once: a recording from `start` to `end` in seconds, as a file; `problem`
    where nothing can be heard in it.
    """

    recording: str
    start: float
    end: float
    path: Path
    sampling_rate: int
    problem: str = ""


def find(
    sources: Iterable[str],
    folder: Path,
    given: BinaryIO | None = None,
    tell: Callable[[str], object] = report_line,
) -> list[Recording]:
    """The recordings that are named: files, folders with audio anywhere below them, and `-` for
    standard input, which is kept in `folder`. What of a folder is skipped is told.

    Raises:
        EmonasError: a name leads nowhere, or a folder holds no audio.
    """
    named = list(sources)
    if named.count(STANDARD_INPUT) > 1:
        raise EmonasError(f"{STANDARD_INPUT}: standard input can be heard once; name it once")
    return [
        inspect(name, path)
        for source in named
        for name, path in _named(source, folder, given or sys.stdin.buffer, tell)
    ]


def _named(
    source: str, folder: Path, given: BinaryIO, tell: Callable[[str], object]
) -> Iterator[tuple[str, Path]]:
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
    listing = Listing()
    inside = audio_files(path, listing)
    unread = [*unread_media(path), *(f"{one.file}: {one.problem}" for one in listing.problems)]
    if not inside:
        endings = f"audio ends in {', '.join(sorted(AUDIO_SUFFIXES))}"
        raise EmonasError(
            f"{path}: there is no audio below this folder; {'; '.join(unread) or endings}"
        )
    for sentence in unread:
        tell(f"{path}: {sentence}")
    for below in inside:
        yield str(below), below


def inspect(name: str, path: Path) -> Recording:
    """A recording with its length, or with what is wrong with it; its name can be written."""
    name = os.fsencode(name).decode("utf-8", "backslashreplace")
    try:
        facts = inspect_audio(path)
    except UnusableAudioError as error:
        unread = f"{path.suffix.lower()} is not read; convert it to wav with ffmpeg"
        return Recording(name, path, problem=unread if is_unread(path) else str(error))
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

    rate = recording.sampling_rate
    held, begin = np.empty(0, np.float32), 0
    # To seek in an MP3 leads to noise, and near the place only.
    with StraightFile(recording.path) as file:
        for number, (start, end) in enumerate(spans):
            first, last = round(start * rate), round(end * rate)
            held, begin = held[first - begin :], first
            more = file.read(last - begin - len(held), dtype="float32", always_2d=True)
            held = np.concatenate([held, more.mean(axis=1, dtype=np.float32)])
            path = folder / f"{number:06d}.wav"
            _write(path, held, rate)
            problem = "it is silent" if np.ptp(held) < SILENCE else ""
            yield Piece(recording.name, start, end, path, rate, problem)


def write_waveform(path: Path, waveform: Array, sampling_rate: float) -> None:
    """Write (samples,) as they are, without rounding: floats with full scale at 1, int16 or int32
    with that of their type.

    Raises:
        EmonasError: they are no recording.
    """
    try:
        samples = np.asarray(waveform)
    except ValueError as error:
        raise EmonasError(
            "a waveform is of one channel, (samples,), and not of rows of several lengths"
        ) from error
    low, high = RATES
    number = isinstance(sampling_rate, Real) and not isinstance(sampling_rate, bool)
    if not number or not low <= sampling_rate <= high or sampling_rate != int(sampling_rate):
        raise EmonasError(
            f"a sampling rate is a whole number of Hz from {low} to {high}, not {sampling_rate!r}"
        )
    whole = issubclass(samples.dtype.type, _WHOLE)
    if not whole and not np.issubdtype(samples.dtype, np.floating):
        raise EmonasError(
            f"a waveform is of floats with full scale at 1, or of int16 or int32, and not of "
            f"{samples.dtype}; convert it"
        )
    if whole:
        samples = samples / -float(np.iinfo(samples.dtype.name).min)
    if samples.ndim != 1 or len(samples) < SHORTEST * sampling_rate:
        raise EmonasError(
            f"a waveform is of one channel, (samples,), and at least {SHORTEST} s long; this one "
            f"is {samples.shape} at {sampling_rate} Hz"
        )
    _refuse_strange(samples)
    _write(path, samples.astype(np.float32), int(sampling_rate))


def _write(path: Path, samples: Array, sampling_rate: int) -> None:
    import soundfile

    soundfile.write(path, samples, sampling_rate, subtype="FLOAT", format="WAV")


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
    if np.ptp(samples) < SILENCE:
        raise EmonasError(
            f"a waveform is silent: it moves by less than {SILENCE:.2g} of full scale; give one in "
            "which something can be heard"
        )
