"""Memory for images that is used again: fresh memory costs more time than what is written to it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Use = Literal["laid", "gathered", "pooled"]
"""What a room holds: laid images, whose borders nobody makes anything but zeros; or anything."""

_FREE: defaultdict[tuple[Use, tuple[int, ...], np.dtype[Any]], list[Array]] = defaultdict(list)
_LAST: list[Sequence[int]] = [()]
"""The size of the last images."""

GONE = (
    "fused cells go back once: what the way back needs is freed by the first time; call them "
    "again, or use fused: false"
)


def take_room(use: Use, size: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
    """Zeros, or what was given back as it is."""
    free = _FREE[use, size, dtype]
    # Another thread may be faster, hence no look before.
    try:
        return free.pop()
    except IndexError:
        return np.zeros(size, dtype)


def give_back(use: Use, *rooms: Array) -> None:
    """Nobody reads them any more."""
    for room in rooms:
        _FREE[use, room.shape, room.dtype].append(room)


def forget_rooms() -> None:
    """Free what nobody holds, a gigabyte and more after a search."""
    _FREE.clear()


def forget_other_rooms(images: Sequence[int]) -> None:
    """Before images of another size or number than the last ones: a last batch is smaller."""
    if _LAST[0] != images:
        _LAST[0] = images
        forget_rooms()
