"""HDF5 files that are written whole or not at all."""

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import h5py

from emonas.storage.atomic import whole_file

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer


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
            with h5py.File(target, "w", track_order=track_order) as file:
                yield file, target.check
        finally:
            target.check()


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
