"""What one audio file holds, and what is wrong with it."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
import soundfile

SHORTEST = 0.05
"""Seconds; below two windows of any feature nothing can be learned from a file."""
SILENCE = 16 / 32768
"""Peak to peak of full scale 1; a recording below it is the noise of an open channel."""
UNKNOWN_SIZE = 0xFFFFFFFF
_SAMPLE_CHUNKS: dict[bytes, tuple[Literal["little", "big"], bytes]] = {
    b"RIFF": ("little", b"data"),
    b"FORM": ("big", b"SSND"),
}
"""The byte order of a file that begins so, and the name of the chunk that holds its samples."""


class UnusableAudioError(Exception):
    """Says what is wrong with a file and what to do, without naming the file."""


@dataclass(frozen=True)
class AudioFacts:
    """Length in seconds, sampling rate in Hz, and a digest of the samples."""

    seconds: float
    sampling_rate: int
    digest: str


def inspect_audio(path: Path) -> AudioFacts:
    """Decode one file and measure it.

    The digest is that of the samples as 16-bit integers, averaged over the channels: the same
    recording has the same digest as wav and as FLAC.

    Raises:
        UnusableAudioError: the file is missing, no audio, truncated, broken, too short or silent.
    """
    _refuse_truncated(path)
    samples, rate = _decode(path)
    seconds = len(samples) / rate
    if not np.isfinite(samples).all():
        raise UnusableAudioError("it holds samples that are no numbers; export it again")
    if seconds < SHORTEST:
        raise UnusableAudioError(f"it is {seconds:.3f} s long, too short; remove it or record anew")
    mono = samples.mean(axis=1, dtype=np.float64)
    if np.ptp(mono) < SILENCE:
        raise UnusableAudioError("it is silent; remove it or record anew")
    return AudioFacts(seconds, rate, _digest(mono))


def _decode(path: Path) -> tuple[npt.NDArray[np.float32], int]:
    try:
        with soundfile.SoundFile(path) as file:
            promised = file.frames
            samples = file.read(dtype="float32", always_2d=True)
            rate = int(file.samplerate)
    except (soundfile.LibsndfileError, OSError) as error:
        raise UnusableAudioError(
            f"it is no audio that can be decoded ({_reason(error)}); copy or convert it again"
        ) from error
    if len(samples) < promised:
        raise UnusableAudioError(
            f"it is truncated: {promised} samples are promised and {len(samples)} are there; "
            "copy it again"
        )
    return samples, rate


def _reason(error: Exception) -> str:
    text = error.error_string if isinstance(error, soundfile.LibsndfileError) else str(error)
    return str(text).rstrip(".")


def _digest(mono: npt.NDArray[np.float64]) -> str:
    integers = np.clip(np.rint(mono * 32768), -32768, 32767).astype("<i2")
    return hashlib.sha256(integers.tobytes()).hexdigest()


def _refuse_truncated(path: Path) -> None:
    """Compare a RIFF or AIFF header with the file: libsndfile forgives a short one."""
    try:
        size = path.stat().st_size
        promised = _end_of_samples(path)
    except OSError as error:
        raise UnusableAudioError(
            "it is not there or cannot be opened; look at the path and its permissions"
        ) from error
    if size == 0:
        raise UnusableAudioError("it is empty; copy it again")
    if promised > size:
        raise UnusableAudioError(
            f"it is truncated: its header promises {promised} bytes and {size} are there; "
            "copy it again"
        )


def _end_of_samples(path: Path) -> int:
    """Where the samples of a RIFF or AIFF file end, in bytes; 0 where no chunk holds them."""
    with path.open("rb") as file:
        kind = file.read(4)
        if kind not in _SAMPLE_CHUNKS:
            return 0
        byte_order, name = _SAMPLE_CHUNKS[kind]
        file.seek(12)
        while len(header := file.read(8)) == 8:
            length = int.from_bytes(header[4:], byte_order)
            if header[:4] == name:
                return 0 if length == UNKNOWN_SIZE else file.tell() + length
            file.seek(length + length % 2, 1)
    return 0
