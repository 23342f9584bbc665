"""Released weights of Whisper (Radford et al. 2022), read without running code of theirs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from emonas.checkpoints.reading import read_state
from emonas.errors import EmonasError

if TYPE_CHECKING:
    from whisper.model import Whisper

FRAME = 320
"""Samples a frame of the encoder: 50 frames a second."""
FRAMES_A_WINDOW = 1500
"""Frames of the encoder's context: 30 s, 50 a second."""
MEL_BANDS = (80, 128)


def load_whisper(path: Path) -> Whisper:
    """Read a released checkpoint: `dims` with the sizes, `model_state_dict` with the parameters.

    Raises:
        EmonasError: the file is missing or damaged, or holds another architecture.
    """
    from whisper.model import Whisper

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
