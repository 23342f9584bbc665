"""Arithmetic on frames, for those who write features and those who read them."""

from collections.abc import Sequence

import numpy as np

from emonas.storage.features import Array, StoredArray


def pooled(frames: StoredArray, group: int) -> Array:
    """Average (frames, features) over groups of consecutive frames; the last may be smaller."""
    if group == 1:
        return frames.astype(np.float32, copy=False)
    starts = np.arange(0, frames.shape[0], group)
    counts = np.diff(starts, append=frames.shape[0])
    sums = np.add.reduceat(frames, starts, axis=0, dtype=np.float64)
    return (sums / counts[:, None]).astype(np.float32)


def alike(lengths: Sequence[int]) -> list[list[int]]:
    """The places of each length among several, in the order of their first."""
    places: dict[int, list[int]] = {}
    for place, length in enumerate(lengths):
        places.setdefault(length, []).append(place)
    return list(places.values())
