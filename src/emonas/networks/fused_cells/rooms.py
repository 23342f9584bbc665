"""Memory for images that is used again: fresh memory costs more time than what is written to it."""

from __future__ import annotations

from collections import defaultdict
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Use = Literal["laid", "gathered", "pooled"]
"""What a room holds: laid images, whose borders nobody makes anything but zeros; or anything."""

_FREE: defaultdict[tuple[Use, tuple[int, ...], np.dtype[Any]], list[Array]] = defaultdict(list)


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
