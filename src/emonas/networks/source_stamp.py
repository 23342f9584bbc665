"""A number that changes with a folder's sources, for loops that are compiled and kept on disk."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any


@cache
def source_stamp(folder: Path) -> int:
    """Of all its files; never zero."""
    files = sorted(folder.glob("*.py"))
    return zlib.crc32(b"".join(file.read_bytes() for file in files)) | 1


def stamp_loop(loop: Callable[..., Any], folder: Path) -> None:
    """Name a loop by all sources in its folder: numba finds what it has kept by the loop's name,
    and looks at no file but the loop's own.
    """
    loop.__qualname__ += f"_{source_stamp(folder)}"
