"""Standardising features by the fold's training part, and nothing else."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from emonas.learning.batches import Examples
from emonas.storage.features import Array, StoredArray

_SMALLEST_DEVIATION = 1e-5
_SMALLEST_OWN_DEVIATION = 1e-3


@dataclass(frozen=True)
class Normaliser:
    """Mean and deviation of one stream, (features) each."""

    mean: npt.NDArray[np.float32]
    deviation: npt.NDArray[np.float32]

    @classmethod
    def fitted(cls, arrays: Iterable[StoredArray]) -> "Normaliser":
        """Fit to all frames of the training part; a constant feature keeps deviation 1."""
        count = 0
        total, squares = np.zeros(1), np.zeros(1)
        for array in arrays:
            wide = array.astype(np.float64)
            count += len(wide)
            total = total + wide.sum(axis=0)
            squares = squares + (wide**2).sum(axis=0)
        mean = total / count
        deviation = np.sqrt(np.maximum(squares / count - mean**2, 0))
        deviation = np.where(deviation < _SMALLEST_DEVIATION, 1.0, deviation)
        return cls(np.asarray(mean, dtype=np.float32), np.asarray(deviation, dtype=np.float32))

    @classmethod
    def unchanging(cls, width: int) -> "Normaliser":
        """One that leaves a stream as it is."""
        return cls(np.zeros(width, dtype=np.float32), np.ones(width, dtype=np.float32))

    def __call__(self, array: StoredArray) -> Array:
        """Standardise (frames, features), in float32."""
        return (array - self.mean) / self.deviation


def by_utterance(frames: StoredArray) -> Array:
    """Standardise (frames, features) by their own mean and deviation.

    A deviation below 0.001 counts as that: a feature that hardly moves is centred, not blown up.
    """
    wide = frames.astype(np.float64)
    deviation = np.maximum(wide.std(axis=0), _SMALLEST_OWN_DEVIATION)
    return np.asarray((wide - wide.mean(axis=0)) / deviation, dtype=np.float32)


def fit_normalisers(examples: Examples, left: Sequence[bool] = ()) -> tuple[Normaliser, ...]:
    """A normaliser a stream; it changes nothing of those that are `left` as they are."""
    kept = left or [False] * len(examples.streams)
    return tuple(
        Normaliser.unchanging(stream[0].shape[1]) if as_it_is else Normaliser.fitted(stream)
        for stream, as_it_is in zip(examples.streams, kept, strict=True)
    )


def normalise(examples: Examples, normalisers: tuple[Normaliser, ...]) -> Examples:
    """Standardise every stream; without normalisers nothing changes."""
    if not normalisers:
        return examples
    streams = tuple(
        [normaliser(array) for array in stream]
        for normaliser, stream in zip(normalisers, examples.streams, strict=True)
    )
    return replace(examples, streams=streams)
