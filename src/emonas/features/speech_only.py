"""Audio without long silences and at one volume, as the package resemblyzer prepares it."""

import numpy as np

from emonas.storage.features import Array


def speech_only(waveform: Array) -> Array:
    """What the package's own preparation leaves of (samples,) at 16 kHz; the waveform as it is
    where nothing would be left.
    """
    from resemblyzer import preprocess_wav

    # Resampling may overshoot full scale, which the voice detector's 16 bits cannot hold.
    audible = np.clip(waveform, -1.0, 1.0)
    if not audible.any():
        return waveform
    speech: Array = preprocess_wav(audible)
    return speech if speech.size else waveform
