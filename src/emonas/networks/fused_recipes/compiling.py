"""How loops are compiled, and kept on disk."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from numba import njit

from emonas.networks.source_stamp import source_stamp


def compiled(loop: Callable[..., Any], *, keep: bool = False) -> Callable[..., Any]:
    """Compile on first use; sums stay as they are written.

    Nothing is raised for a division by zero, so that loops with divisions are vectorised. What is
    compiled is kept on disk (`keep`) until the file of the loop changes, whatever it calls.
    """
    made: Callable[..., Any] = njit(
        fastmath={"contract", "nsz"}, error_model="numpy", nogil=True, cache=keep
    )(loop)
    return made


def own_stamp() -> int:
    """Of all files beside this one.

    A loop that calls others has this number from the function around it, so that it is compiled
    again when any of them changes.
    """
    return source_stamp(Path(__file__).parent)
