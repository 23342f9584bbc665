"""Arrays of a user's npy and npz files, whose headers are held against what is there to read."""

import math
import zipfile
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy

LARGEST = 2**30
"""Bytes that one packed array may stand for; a few kilobytes can stand for gigabytes."""
_MAGIC = b"\x93NUMPY"


def read_npy(path: Path) -> np.ndarray[Any, Any]:
    """Read an npy file.

    Raises:
        ValueError: it is no plain file, no npy, or holds less than its header says.
    """
    if not path.is_file():
        raise ValueError("this is no file")
    with path.open("rb") as file:
        return _read(file, path.stat().st_size)


class Npz:
    """An npz file, open for reading: `names` are those of its arrays.

    Raises:
        ValueError: it is a single array.
        zipfile.BadZipFile: it is no zip archive.
    """

    def __init__(self, path: Path) -> None:
        with path.open("rb") as file:
            if file.read(len(_MAGIC)) == _MAGIC:
                raise ValueError("it is one array and no npz; write it with numpy.savez")
        self._archive = zipfile.ZipFile(path)
        self._entries = {
            entry.filename.removesuffix(".npy"): entry
            for entry in self._archive.infolist()
            if entry.filename.endswith(".npy")
        }
        self.names = frozenset(self._entries)

    def read(self, name: str) -> np.ndarray[Any, Any]:
        """Read the array of a name.

        Raises:
            ValueError: it is no npy, stands for more than `LARGEST`, or holds less than it says.
        """
        entry = self._entries[name]
        if entry.compress_type != zipfile.ZIP_STORED and entry.file_size > LARGEST:
            raise ValueError(f"{entry.file_size:,} bytes are packed in it, {LARGEST:,} at most")
        with self._archive.open(entry) as file:
            return _read(file, entry.file_size)


def _read(file: IO[bytes], size: int) -> np.ndarray[Any, Any]:
    """Read an array from a file of so many bytes; nothing of a wrong size is made room for."""
    read_header = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}
    version = npy.read_magic(file)
    if version not in read_header:
        raise ValueError(f"its version {version} is not known")
    shape, fortran, dtype = read_header[version](file)
    if dtype.hasobject:
        raise ValueError("Object arrays cannot be loaded")
    wanted, there = math.prod(shape) * dtype.itemsize, size - file.tell()
    if wanted > there or min(shape, default=0) < 0:
        raise ValueError(f"its header says {wanted:,} bytes, and {there:,} are there")
    return np.ndarray(shape, dtype, file.read(), order="F" if fortran else "C")
