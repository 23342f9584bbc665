"""Audio files as waveforms."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal

import numpy as np

from emonas.errors import EmonasError
from emonas.features.optional_torchaudio import torchaudio_module
from emonas.storage.features import Array

Resampler = Literal["soxr", "torchaudio"]


def read_audio(path: Path, sampling_rate: int, resampler: Resampler = "soxr") -> Array:
    """Read an audio file of any format that libsndfile knows.

    Args:
        path: the file.
        sampling_rate: the wanted rate in Hz; the file is resampled where it has another.
        resampler: what resamples it.

    Returns:
        The mean of the channels, (samples,), with full scale at 1.

    Raises:
        EmonasError: the file is missing, is no audio, or is empty, or torchaudio does not import.
    """
    import soundfile

    try:
        channels, rate = soundfile.read(path, dtype="float32", always_2d=True)
    except (OSError, TypeError, ValueError, soundfile.SoundFileError) as error:
        raise EmonasError(
            f"{path}: this cannot be read as audio ({error}); replace the file or leave it out"
        ) from error
    if channels.shape[0] == 0:
        raise EmonasError(f"{path}: the audio is empty; replace the file or leave it out")
    waveform = channels.mean(axis=1, dtype=np.float32)
    if rate != sampling_rate:
        waveform = _RESAMPLERS[resampler](waveform, rate, sampling_rate)
    return np.ascontiguousarray(waveform, dtype=np.float32)


def _by_soxr(waveform: Array, rate: int, wanted: int) -> Array:
    import soxr

    resampled: Array = soxr.resample(waveform, rate, wanted, quality="HQ")
    return resampled


def _by_torchaudio(waveform: Array, rate: int, wanted: int) -> Array:
    import torch

    functional = torchaudio_module("functional")
    resampled: Array = functional.resample(torch.from_numpy(waveform), rate, wanted).numpy()
    return resampled


_RESAMPLERS: Mapping[Resampler, Callable[[Array, int, int], Array]] = {
    "soxr": _by_soxr,
    "torchaudio": _by_torchaudio,
}
