"""Whisper (Radford et al. 2022) hears as it was trained: windows of 30 s.

The package of its authors, openai-whisper, computes; here audio of any length becomes windows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from emonas.checkpoints.whisper import FRAME
from emonas.storage.features import Array

if TYPE_CHECKING:
    import torch

WINDOW_SECONDS = 30
WINDOW = WINDOW_SECONDS * 16000


def frames_of(samples: int) -> int:
    """How many of the encoder's frames belong to so many samples: whole ones, but at least one."""
    return max(1, samples // FRAME)


def windows_of(waveform: Array) -> list[Array]:
    """Cut a waveform (samples,) into windows of 30 s; the last is as long as what remains.

    A remainder of less than a frame is dropped where it would be a window of its own.
    """
    used = max(waveform.shape[0] // FRAME * FRAME, 1)
    return [waveform[start : start + WINDOW] for start in range(0, used, WINDOW)]


def log_mels(
    windows: Sequence[Array], bands: int, device: torch.device, half: bool
) -> torch.Tensor:
    """Give what the encoder hears: (windows, bands, 3000), each window padded with zeros to 30 s.

    Each window is transformed alone, because its loudest value is the reference of its levels.
    """
    import torch
    from whisper.audio import log_mel_spectrogram

    mels = [
        log_mel_spectrogram(
            np.pad(window, (0, WINDOW - window.shape[0])), n_mels=bands, device=device
        )
        for window in windows
    ]
    return torch.stack(mels).to(torch.float16 if half else torch.float32)
