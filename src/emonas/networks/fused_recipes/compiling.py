"""How loops are compiled, and kept on disk."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from numba import njit

from emonas.networks.source_stamp import stamp_loop


def compiled(loop: Callable[..., Any], *, keep: bool = False) -> Callable[..., Any]:
    """Compile on first use; sums stay as they are written.

    Nothing is raised for a division by zero, so that loops with divisions are vectorised.
    """
    made: Callable[..., Any] = njit(
        fastmath={"contract", "nsz"}, error_model="numpy", nogil=True, cache=keep
    )(loop)
    return made


def kept(loop: Callable[..., Any]) -> Callable[..., Any]:
    """Compiled, with all that it calls, and kept on disk until any file beside this one changes."""
    stamp_loop(loop, Path(__file__).parent)
    return compiled(loop, keep=True)
