"""Audio files as waveforms."""

from pathlib import Path

import numpy as np

from emonas.errors import EmonasError
from emonas.storage.features import Array


def read_audio(path: Path, sampling_rate: int) -> Array:
    """Read an audio file of any format that libsndfile knows.

    Args:
        path: the file.
        sampling_rate: the wanted rate in Hz; the file is resampled where it has another.

    Returns:
        The mean of the channels, (samples,), with full scale at 1.

    Raises:
        EmonasError: the file is missing, is no audio, or is empty.
    """
    import soundfile
    import soxr

    try:
        channels, rate = soundfile.read(path, dtype="float32", always_2d=True)
    except (OSError, TypeError, soundfile.SoundFileError) as error:
        raise EmonasError(
            f"{path}: this cannot be read as audio ({error}); replace the file or leave it out"
        ) from error
    if channels.shape[0] == 0:
        raise EmonasError(f"{path}: the audio is empty; replace the file or leave it out")
    waveform = channels.mean(axis=1, dtype=np.float32)
    if rate != sampling_rate:
        waveform = soxr.resample(waveform, rate, sampling_rate, quality="HQ")
    return np.ascontiguousarray(waveform, dtype=np.float32)
