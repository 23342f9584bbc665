"""How loops are compiled, and kept on disk."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from numba import njit


def compiled(loop: Callable[..., Any], *, keep: bool = False) -> Callable[..., Any]:
    """Compile on first use; sums stay as they are written.

    Nothing is raised for a division by zero, so that loops with divisions are vectorised. What is
    compiled is kept on disk (`keep`) until the file of the loop changes, whatever it calls.
    """
    made: Callable[..., Any] = njit(
        fastmath={"contract", "nsz"}, error_model="numpy", nogil=True, cache=keep
    )(loop)
    return made


@cache
def source_stamp() -> int:
    """Of all files beside this one.

    A loop that calls others has this number from the function around it, so that it is compiled
    again when any of them changes.
    """
    files = sorted(Path(__file__).parent.glob("*.py"))
    return zlib.crc32(b"".join(file.read_bytes() for file in files)) | 1
