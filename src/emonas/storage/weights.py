"""`weights.safetensors`: a network's parameters and buffers, without pickle."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from emonas.errors import DamagedFileError
from emonas.storage.atomic import whole_file

if TYPE_CHECKING:
    from torch import Tensor


def write_weights(path: Path, state: Mapping[str, Tensor]) -> None:
    """Write a state dictionary, whole or not at all."""
    from safetensors.torch import save_file

    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in state.items()}
    with whole_file(path) as temporary:
        save_file(tensors, temporary, metadata={"digest": _digest_of(tensors)})


def read_weights(path: Path) -> dict[str, Tensor]:
    """Read a state dictionary onto the CPU.

    Raises:
        EmonasError: the file is missing or damaged.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            digest = (file.metadata() or {}).get("digest")
    except (OSError, SafetensorError, ValueError) as error:
        raise DamagedFileError(path, f"these are no whole weights ({error})") from error
    if digest != _digest_of(tensors):
        raise DamagedFileError(path, "these weights are not those that were written")
    return tensors


def _digest_of(tensors: Mapping[str, Tensor]) -> str:
    import torch

    digest = hashlib.sha256()
    for name, tensor in sorted(tensors.items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\0".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()
