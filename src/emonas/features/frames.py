"""Arithmetic on waveforms and frames that the extractors share."""

import numpy as np

from emonas.storage.features import Array
from emonas.storage.frames import pooled

PCM_FULL_SCALE = 2**15
"""Full scale of the integers of 16 bits in which some of them count."""


def duration_in_samples(milliseconds: float, sampling_rate: int) -> int:
    """Give the nearest whole number of samples."""
    return round(milliseconds * sampling_rate / 1000)


def padded(values: Array, length: int) -> Array:
    """Append zeros along the first axis until there are at least `length` entries."""
    missing = length - values.shape[0]
    if missing <= 0:
        return values
    return np.pad(values, [(0, missing)] + [(0, 0)] * (values.ndim - 1))


def pooled_layers(layers: Array, group: int) -> Array:
    """Average (layers, frames, features) over groups of consecutive frames."""
    if group == 1:
        return layers
    return np.stack([pooled(frames, group) for frames in layers])


def adaptively_pooled(values: Array, size: int, axis: int) -> Array:
    """Average along `axis` into `size` bins.

    Bin i of m over n entries covers floor(i n / m) to ceil((i + 1) n / m); neighbours share an
    entry where n is no multiple of m.
    """
    length = values.shape[axis]
    bins = np.arange(size)
    starts = bins * length // size
    ends = -((-(bins + 1) * length) // size)
    sums = np.cumsum(np.moveaxis(values, axis, 0), axis=0, dtype=np.float64)
    sums = np.concatenate([np.zeros_like(sums[:1]), sums])
    counts = (ends - starts).reshape(-1, *[1] * (values.ndim - 1))
    means: Array = ((sums[ends] - sums[starts]) / counts).astype(np.float32)
    return np.moveaxis(means, 0, axis)
