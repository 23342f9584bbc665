"""Whisper (Radford et al. 2022) as it was trained: released weights, and windows of 30 s.

The package of its authors, openai-whisper, computes; here its files are read without running code
of theirs, and audio of any length becomes windows.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from emonas.errors import EmonasError
from emonas.storage.features import Array

if TYPE_CHECKING:
    import torch
    from whisper.model import Whisper

WINDOW_SECONDS = 30
WINDOW = WINDOW_SECONDS * 16000
FRAME = 320
"""Samples a frame: the encoder gives 50 frames a second."""
FRAMES_A_WINDOW = WINDOW // FRAME
MEL_BANDS = (80, 128)


def load_whisper(path: Path) -> Whisper:
    """Read a released checkpoint: `dims` with the sizes, `model_state_dict` with the parameters.

    Raises:
        EmonasError: the file is missing or damaged, or holds another architecture.
    """
    from whisper.model import Whisper

    from emonas.checkpoints.reading import read_state

    state = read_state(path)
    try:
        dims, parameters = state["dims"], state["model_state_dict"]
    except (KeyError, TypeError, IndexError) as error:
        raise _other(path, "it does not hold `dims` and `model_state_dict`") from error
    network = Whisper(_dimensions(path, dims))
    try:
        network.load_state_dict(parameters)
    except (RuntimeError, TypeError, AttributeError) as error:
        difference = " ".join(str(error).split())[:200]
        raise _other(path, f"the parameters do not fit its own `dims`: {difference}") from error
    return network.eval()


def _dimensions(path: Path, dims: Any) -> Any:
    """Check the sizes, which the package takes as they come."""
    from whisper.model import ModelDimensions

    try:
        dimensions = ModelDimensions(**dims)
    except TypeError as error:
        raise _other(path, f"its `dims` are not those of Whisper: {error}") from error
    wrong = [name for name, value in vars(dimensions).items() if not _is_size(value)]
    if wrong:
        raise _other(path, f"dims.{wrong[0]} is {getattr(dimensions, wrong[0])!r}")
    if dimensions.n_audio_ctx != FRAMES_A_WINDOW:
        raise _other(path, f"dims.n_audio_ctx is {dimensions.n_audio_ctx}, not {FRAMES_A_WINDOW}")
    if dimensions.n_mels not in MEL_BANDS:
        raise _other(path, f"dims.n_mels is {dimensions.n_mels}, neither 80 nor 128")
    return dimensions


def _is_size(value: Any) -> bool:
    return isinstance(value, int) and value > 0


def _other(path: Path, reason: str) -> EmonasError:
    return EmonasError(
        f"{path}: this is no released checkpoint of Whisper ({reason}); give a file such as "
        "tiny.en.pt"
    )


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
