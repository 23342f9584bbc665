"""A number that changes with a folder's sources, for loops that are compiled and kept on disk."""

from __future__ import annotations

import zlib
from functools import cache
from pathlib import Path


@cache
def source_stamp(folder: Path) -> int:
    """Of all its files; never zero."""
    files = sorted(folder.glob("*.py"))
    return zlib.crc32(b"".join(file.read_bytes() for file in files)) | 1
