"""`weights.safetensors`: a network's parameters and buffers, without pickle."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from emonas.errors import EmonasError, make_again
from emonas.storage.atomic import whole_file

if TYPE_CHECKING:
    from torch import Tensor


def write_weights(path: Path, state: Mapping[str, Tensor]) -> None:
    """Write a state dictionary, whole or not at all."""
    from safetensors.torch import save_file

    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in state.items()}
    with whole_file(path) as temporary:
        save_file(tensors, temporary)


def read_weights(path: Path) -> dict[str, Tensor]:
    """Read a state dictionary onto the CPU.

    Raises:
        EmonasError: the file is missing or damaged.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(path)
    except (OSError, SafetensorError) as error:
        raise EmonasError(
            f"{path}: these are no whole weights ({error}); {make_again(path)}"
        ) from error
