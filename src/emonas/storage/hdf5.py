"""HDF5 files that are written whole or not at all, and read alone."""

import io
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import h5py
import numpy as np
import numpy.typing as npt

from emonas.storage.atomic import whole_file

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer


_DENSEST = 1100
"""Bytes that a packed one may stand for: somewhat more than deflate reaches."""


@contextmanager
def whole_hdf5(
    path: Path, *, track_order: bool = False
) -> Iterator[tuple[h5py.File, Callable[[], None]]]:
    """Give an HDF5 file to fill, which takes the name `path` when the block ends well.

    With it comes a check to call between large pieces: it ends the block where there is no room,
    before more is held in memory.
    """
    with whole_file(path) as temporary, _Target(temporary, "w+") as target:
        try:
            # From this version on HDF5 keeps checksums of its own of what describes the data.
            version = ("v110", "v110")
            with h5py.File(target, "w", libver=version, track_order=track_order) as file:
                yield file, target.check
        finally:
            target.check()


def write_names(group: h5py.Group, name: str, values: Iterable[str]) -> None:
    """Write texts as a dataset, each as long as the longest.

    HDF5 would put those of different lengths into a heap without a checksum, and a changed byte in
    it can keep its reader busy for ever.
    """
    group[name] = _encoded(values)


def read_names(group: h5py.Group, name: str) -> tuple[str, ...]:
    """Read a dataset of texts, of one length or not."""
    return tuple(own_dataset(group, name).asstr()[:])


def own_dataset(group: h5py.Group, name: str) -> h5py.Dataset:
    """Give a dataset whose numbers lie in the file itself, as many as it says.

    HDF5 would read any file of the machine that a dataset names, and make room for any shape.

    Raises:
        KeyError: there is none.
        ValueError: its numbers lie elsewhere, or are not there.
    """
    dataset = group
    for part in name.split("/"):
        link = dataset.get(part, getlink=True)
        if link is None:
            raise KeyError(f"there is no {name}")
        if not isinstance(link, h5py.HardLink):
            raise ValueError(f"{name} is a link that names another place")
        dataset = dataset[part]
    if not isinstance(dataset, h5py.Dataset):
        raise ValueError(f"{name} is no dataset")
    if dataset.external or dataset.is_virtual:
        raise ValueError(f"{name} lies in another file")
    shape = (0,) if dataset.shape is None else dataset.shape
    size = math.prod(shape) * dataset.dtype.itemsize
    there = min(dataset.id.get_storage_size(), group.file.id.get_filesize())
    packed = dataset.id.get_create_plist().get_nfilters() > 0
    if size > there * (_DENSEST if packed else 1):
        raise ValueError(f"{name} says that it has {size:,} bytes, and {there:,} are there")
    return dataset


def write_text_attribute(entry: h5py.HLObject, name: str, value: str | Sequence[str]) -> None:
    """Write a text, or several, as an attribute; see `write_names`."""
    encoded = _encoded([value] if isinstance(value, str) else value)
    entry.attrs.create(name, encoded.reshape(()) if isinstance(value, str) else encoded)


def read_text_attribute(entry: h5py.HLObject, name: str) -> str:
    """Read an attribute that is one text."""
    return _decoded(entry.attrs[name])


def read_text_attributes(entry: h5py.HLObject, name: str) -> tuple[str, ...]:
    """Read an attribute that is several texts."""
    return tuple(_decoded(value) for value in entry.attrs[name])


def _encoded(values: Iterable[str]) -> npt.NDArray[np.bytes_]:
    encoded = [value.encode() for value in values]
    length = max(map(len, encoded), default=0) or 1
    return np.array(encoded, dtype=h5py.string_dtype("utf-8", length))


def _decoded(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


class _Target(io.FileIO):
    """A file that never fails to be written, because HDF5 crashes the process where a write fails.

    What cannot be written is held in memory, so that HDF5 finds it again until it has closed.

    Attributes:
        failure: why nothing more was written; an interruption that came meanwhile is one, too.
    """

    def __init__(self, path: Path, mode: str) -> None:
        super().__init__(path, mode)
        self.failure: BaseException | None = None
        self._held: list[tuple[int, bytes]] = []

    def check(self) -> None:
        """Raise the failure, if there was one."""
        if self.failure is not None:
            raise self.failure

    def write(self, data: "ReadableBuffer") -> int:
        """Write all of `data`."""
        start = self.tell()
        if self.failure is None:
            try:
                left = memoryview(data).cast("B")
                while len(left):
                    left = left[super().write(left) :]
            except BaseException as failure:
                self.failure = failure
        if self.failure is not None:
            self._held.append((start, bytes(data)))
        return memoryview(data).nbytes

    def readinto(self, buffer: "WriteableBuffer") -> int:
        """Read what is in the file, and over it what should be."""
        start = self.tell()
        super().readinto(buffer)
        target = memoryview(buffer).cast("B")
        for place, data in self._held:
            first, last = max(place, start), min(place + len(data), start + len(target))
            if first < last:
                target[first - start : last - start] = data[first - place : last - place]
        return len(target)

    def truncate(self, size: int | None = None) -> int:
        """Make the file as long as `size`."""
        if self.failure is None:
            try:
                return super().truncate(size)
            except BaseException as failure:
                self.failure = failure
        return size or 0
