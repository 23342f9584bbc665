"""Arithmetic on waveforms and frames that the extractors share."""

import threading
from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from emonas.storage.features import Array
from emonas.storage.frames import pooled

PCM_FULL_SCALE = 2**15
"""Full scale of the integers of 16 bits in which some of them count."""

WINDOWS_AT_ONCE = 256
"""Windows whose spectra are computed together, so that they stay in the processor's cache."""


def duration_in_samples(milliseconds: float, sampling_rate: int) -> int:
    """Give the nearest whole number of samples."""
    return round(milliseconds * sampling_rate / 1000)


def windows_of(waveform: npt.NDArray[Any], length: int, hop: int) -> npt.NDArray[Any]:
    """View a waveform (samples,) as (windows, length), whole windows only."""
    return np.lib.stride_tricks.sliding_window_view(waveform, length)[::hop]


class Spectra(threading.local):
    """Transforms windows, some at a time and in float64.

    A thread uses its arrays again and again, since new ones of their size cost it as much as the
    transform. Samples behind a window's own are zeros.
    """

    def __init__(self, window: int, transform: int) -> None:
        self._samples = np.zeros((WINDOWS_AT_ONCE, transform))
        self._spectra = np.empty((WINDOWS_AT_ONCE, transform // 2 + 1), np.complex128)
        self._window = window

    def blocks(self, output: Array) -> Iterator[tuple[slice, npt.NDArray[np.float64]]]:
        """Give slices of all windows, and for each where to put its samples.

        Args:
            output: gets the magnitudes (windows, frequencies) of what was put there.
        """
        for start in range(0, len(output), WINDOWS_AT_ONCE):
            block = slice(start, min(start + WINDOWS_AT_ONCE, len(output)))
            count = block.stop - start
            yield block, self._samples[:count, : self._window]
            spectra = np.fft.rfft(self._samples[:count], out=self._spectra[:count])
            np.abs(spectra, out=output[block], casting="same_kind")


@cache
def spectra(window: int, transform: int) -> Spectra:
    """The transform of windows of a length, padded with zeros to another."""
    return Spectra(window, transform)


def padded(values: Array, length: int) -> Array:
    """Append zeros along the first axis until there are at least `length` entries."""
    missing = length - values.shape[0]
    if missing <= 0:
        return values
    longer = np.zeros((length, *values.shape[1:]), values.dtype)
    longer[: values.shape[0]] = values
    return longer


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
    along = np.moveaxis(values, axis, 0)
    means = _averaging(along.shape[0], size) @ along.reshape(along.shape[0], -1)
    return np.moveaxis(means.reshape(size, *along.shape[1:]), 0, axis)


@cache
def _averaging(length: int, size: int) -> Any:
    """The sparse matrix (size, length) of adaptive averages."""
    import scipy.sparse

    bins = np.arange(size)
    starts = bins * length // size
    counts = -((-(bins + 1) * length) // size) - starts
    ends = np.cumsum(counts)
    columns = np.arange(ends[-1]) + np.repeat(starts - (ends - counts), counts)
    weights = np.repeat(np.float32(1) / counts.astype(np.float32), counts)
    return scipy.sparse.csr_array((weights, columns, [0, *ends]), shape=(size, length))
