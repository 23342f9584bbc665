"""What one audio file holds, and what is wrong with it."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile

from emonas.corpora.containers import CONTAINERS, promise_of
from emonas.corpora.containers.flac import Signature
from emonas.corpora.containers.promise import BrokenPromiseError, File, Promise

SHORTEST = 0.05
"""Seconds; below two windows of any feature nothing can be learned from a file."""
SILENCE = 16 / 32768
"""Peak to peak of full scale 1; a recording below it is the noise of an open channel."""
LOUDEST = 1e6
"""Full scales; floats that nobody scaled lie below it, and beyond it energies overflow."""
RATES = (2000, 768_000)
"""Hz; what no recorder writes comes from a damaged header."""
BLOCK = 2**18
"""Numbers that are decoded at a time: an hour of six channels is no more than a minute of one."""
_INTEGER_SCALE = 2**31
_CODINGS = ("PCM_", "FLOAT", "DOUBLE", "ULAW", "ALAW", "VORBIS", "OPUS", "MPEG_LAYER_")
"""How the names of codings begin that hold each sample; others fill the last block up."""
_IN_BLOCKS = ("IMA_ADPCM", "MS_ADPCM")
"""Those of WAV whose blocks can be counted; what fills the last one up counts as its samples."""
_Samples = npt.NDArray[np.float32]


class StraightFile(soundfile.SoundFile):  # type: ignore[misc]
    """A file that is read from its start to its end, in pieces.

    After each piece soundfile seeks to where it stands anyway, and in an MP3 that loses what the
    next frame takes from those before: what follows would be noise.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        # As soundfile.read does: without it the last bits of some MP3 are others.
        if self.format == "MP3":
            self.seek(0)

    def seekable(self) -> bool:
        """Whether soundfile may seek after each piece."""
        return self.format != "MP3" and bool(super().seekable())


class UnusableAudioError(Exception):
    """Says what is wrong with a file and what to do, without naming the file."""


@dataclass(frozen=True)
class AudioFacts:
    """Length in seconds, sampling rate in Hz, and a digest of the samples."""

    seconds: float
    sampling_rate: int
    digest: str


class _Measures:
    """What is known of the samples so far; their digest is that of their channels' mean."""

    def __init__(self) -> None:
        self.count = 0
        self._low, self._high = np.inf, -np.inf
        self._digest = hashlib.sha256()

    def add(self, samples: _Samples) -> None:
        """Take in the next samples (samples, channels).

        Raises:
            UnusableAudioError: some are no numbers, or larger than any recording's.
        """
        if not np.isfinite(samples).all():
            raise UnusableAudioError("it holds samples that are no numbers; export it again")
        if np.abs(samples).max() > LOUDEST:
            raise UnusableAudioError(
                f"it holds samples of more than {LOUDEST:.0e} times full scale; export it again"
            )
        mono = samples.mean(axis=1, dtype=np.float64)
        self.count += len(mono)
        self._low, self._high = min(self._low, mono.min()), max(self._high, mono.max())
        integers = np.clip(np.rint(mono * 32768), -32768, 32767).astype("<i2")
        self._digest.update(integers.tobytes())

    @property
    def silent(self) -> bool:
        """Whether there is nothing but the noise of an open channel."""
        return bool(self._high - self._low < SILENCE)

    @property
    def digest(self) -> str:
        """SHA-256 of the samples as 16-bit integers."""
        return self._digest.hexdigest()


def inspect_audio(path: Path) -> AudioFacts:
    """Decode one file, a block at a time, and measure it.

    The digest is that of the samples as 16-bit integers, averaged over the channels: the same
    recording has the same digest as wav and as FLAC.

    Raises:
        UnusableAudioError: the file is missing, no audio, truncated, broken, too short or silent,
            or its length can't be checked.
    """
    _refuse_no_file(path)
    measures, rate = _measured(path)
    seconds = measures.count / rate
    if seconds < SHORTEST:
        raise UnusableAudioError(f"it is {seconds:.3f} s long, too short; remove it or record anew")
    if measures.silent:
        raise UnusableAudioError("it is silent; remove it or record anew")
    return AudioFacts(seconds, rate, measures.digest)


def _measured(path: Path) -> tuple[_Measures, int]:
    measures = _Measures()
    try:
        with StraightFile(path) as file, path.open("rb") as content:
            _refuse_unchecked(file)
            rate = int(file.samplerate)
            opened = File(content, path.stat().st_size, rate)
            promises = [promise_of(file.format, opened)]
            # Of an MP3 without a table of contents, libsndfile estimates it.
            if file.format != "MP3":
                promises.append(Promise(int(file.frames)))
            blocks = _flac_blocks(file, opened) if file.format == "FLAC" else _blocks(file)
            for samples in blocks:
                measures.add(samples)
    except BrokenPromiseError as error:
        raise UnusableAudioError(str(error)) from error
    # A TypeError is libsndfile's question for the format of a file without a header.
    except (soundfile.SoundFileError, OSError, TypeError) as error:
        raise UnusableAudioError(
            f"it is no audio that can be decoded ({_reason(error)}); copy or convert it again"
        ) from error
    for promise in promises:
        _hold(promise, measures.count)
    return measures, rate


def _hold(promise: Promise, count: int) -> None:
    told = f"{promise.samples} samples are promised and {count} are there"
    if count < promise.samples - promise.tolerance:
        raise UnusableAudioError(f"it is truncated: {told}; copy it again")
    if count > promise.samples + promise.tolerance:
        raise UnusableAudioError(f"its header is damaged: {told}; copy or convert it again")


def _blocks(file: soundfile.SoundFile) -> Iterator[_Samples]:
    length = max(1, BLOCK // file.channels)
    while len(samples := file.read(length, dtype="float32", always_2d=True)):
        yield samples


def _flac_blocks(file: soundfile.SoundFile, opened: File) -> Iterator[_Samples]:
    """As integers first: they are what the file's own digest is of."""
    length, signature = max(1, BLOCK // file.channels), Signature(opened)
    while len(integers := file.read(length, dtype="int32", always_2d=True)):
        signature.add(integers)
        yield integers.astype(np.float32) / np.float32(_INTEGER_SCALE)
    if not signature.holds:
        raise UnusableAudioError("it is damaged: its samples are not those written; copy it again")


def _refuse_unchecked(file: soundfile.SoundFile) -> None:
    """Refuse what libsndfile decodes without knowing its length or its rate for certain."""
    counted = file.format == "WAV" and file.subtype in _IN_BLOCKS
    if file.format not in CONTAINERS or not (counted or file.subtype.startswith(_CODINGS)):
        raise UnusableAudioError(
            f"its length can't be checked, as {file.format} with {file.subtype} samples; convert "
            "it to wav or FLAC of 16 bits"
        )
    low, high = RATES
    if not low <= file.samplerate <= high:
        raise UnusableAudioError(
            f"its header gives a rate of {file.samplerate} Hz, where {low} to {high} is possible; "
            "convert it again"
        )


def _reason(error: Exception) -> str:
    text = error.error_string if isinstance(error, soundfile.LibsndfileError) else str(error)
    return str(text).rstrip(".")


def _refuse_no_file(path: Path) -> None:
    try:
        path.as_posix().encode("utf-8")
        # A pipe or a device could be waited for without end.
        if path.exists() and not path.is_file():
            raise UnusableAudioError("it is no file but a folder, a pipe or a device; remove it")
        with path.open("rb") as file:
            empty = not file.read(1)
    except OSError as error:
        raise UnusableAudioError(
            "it is not there or cannot be opened; look at the path and its permissions"
        ) from error
    except UnicodeEncodeError as error:
        raise UnusableAudioError(
            "its path is not in UTF-8; rename its folders, or unpack the corpus with another tool"
        ) from error
    # Such as a path with a zero byte in it.
    except ValueError as error:
        raise UnusableAudioError(f"its path is none ({error}); correct it") from error
    if empty:
        raise UnusableAudioError("it is empty; copy it again")
