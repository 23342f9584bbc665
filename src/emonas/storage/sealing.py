"""How a file tells, when it is opened, that its bytes are not those that were written.

A disk or a copy can change a byte and say nothing. What an HDF5 file holds is held against a digest
in it; frames, which are many and read in pieces, against a sum an utterance.
"""

import hashlib
import json
from collections.abc import Sequence
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt

from emonas.storage.hdf5 import own_dataset, read_text_attribute, write_text_attribute

_SEAL = "seal"


def seal(group: h5py.Group, unread: str | None = None) -> None:
    """Write the digest of all that a group holds into it.

    Args:
        group: it changes no more.
        unread: what is called so, or lies in it, counts by its types and shapes alone.
    """
    write_text_attribute(group, _SEAL, _digest_of(group, unread))


def is_sealed(group: h5py.Group) -> bool:
    """Whether it has a digest."""
    return _SEAL in group.attrs


def check_seal(group: h5py.Group, unread: str | None = None) -> None:
    """Hold what a group holds against its digest.

    Raises:
        ValueError: it has none, or another.
    """
    if not is_sealed(group) or read_text_attribute(group, _SEAL) != _digest_of(group, unread):
        raise ValueError("its bytes are not those that were written")


def word_sums(
    frames: npt.NDArray[Any], lengths: Sequence[int] | npt.NDArray[np.int64]
) -> npt.NDArray[np.uint64]:
    """The sum of each utterance's bytes, so many at a time as divide a frame, modulo 2^64.

    Any one changed byte changes it; it costs a fraction of the reading.

    Args:
        frames: of utterances one behind the other, (frames, features).
        lengths: frames of each utterance.
    """
    counts = np.asarray(lengths, np.int64)
    sums = np.zeros(len(counts), np.uint64)
    row = frames.shape[1] * frames.itemsize
    # An empty stretch would have the sum of what follows it.
    filled = np.flatnonzero(counts) if row else np.array([], np.int64)
    if len(filled):
        size = next(size for size in (8, 4, 2, 1) if row % size == 0)
        words = np.ascontiguousarray(frames).reshape(-1).view(f"<u{size}")
        starts = (np.cumsum(counts) - counts)[filled] * (row // size)
        sums[filled] = np.add.reduceat(words, starts, dtype=np.uint64)
    return sums


def _digest_of(group: h5py.Group, unread: str | None) -> str:
    digest = hashlib.sha256()
    found = {"": group}
    group.visititems(found.__setitem__)
    for name, entry in sorted(found.items()):
        attributes = {
            key: _plain(value) for key, value in entry.attrs.items() if name or key != _SEAL
        }
        told = [name, type(entry).__name__, attributes]
        if isinstance(entry, h5py.Dataset):
            told += [str(entry.dtype), entry.shape]
        digest.update(json.dumps(told, sort_keys=True, default=repr).encode())
        if isinstance(entry, h5py.Dataset) and (unread is None or name.split("/")[0] != unread):
            digest.update(np.ascontiguousarray(own_dataset(group, name)[()]).tobytes())
    return digest.hexdigest()


def _plain(value: Any) -> Any:
    return np.asarray(value).tolist()
