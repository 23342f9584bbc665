"""torchaudio, which serves where it imports: its releases do not beside a CPU build of torch."""

import importlib
from typing import Any

from emonas.errors import EmonasError


def torchaudio_module(name: str) -> Any:
    """Import a module of torchaudio, such as `functional`.

    Raises:
        EmonasError: it does not import.
    """
    try:
        return importlib.import_module(f"torchaudio.{name}")
    except (ImportError, OSError) as error:
        raise EmonasError(
            "features: torchaudio is asked for and does not import here (its releases need torch's "
            "CUDA build); leave out `backend: torchaudio` and `resampler: torchaudio`"
        ) from error
