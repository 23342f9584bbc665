"""Standardising features by the fold's training part, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from emonas.errors import EmonasError
from emonas.learning.batches import Examples
from emonas.storage.features import Array, StoredArray

_SMALLEST_DEVIATION = 1e-5
_SMALLEST_OWN_DEVIATION = 1e-3
_SMALLEST_VARIANCE = 1e-6


@dataclass(frozen=True)
class Whitening:
    """A linear map after which what varies within classes varies alike in all directions.

    `basis` (directions, features) are those in which the training part varies, `gains`
    (directions) what each is multiplied by, and `rest` what all others are, (1).
    """

    basis: npt.NDArray[np.float32]
    gains: npt.NDArray[np.float32]
    rest: npt.NDArray[np.float32]

    @classmethod
    def fitted(cls, vectors: Array, groups: npt.NDArray[np.int64]) -> Whitening:
        """The inverse root of the covariance within groups, shrunk as Ledoit and Wolf (2004) do,
        times what makes the mean square of the vectors 1; `vectors` (utterances, features).
        """
        from sklearn.covariance import ledoit_wolf_shrinkage

        within = vectors.astype(np.float64)
        for group in np.unique(groups):
            within[groups == group] -= within[groups == group].mean(axis=0)
        share = ledoit_wolf_shrinkage(within, assume_centered=True)
        level = share * (within**2).mean() + _SMALLEST_VARIANCE
        _, lengths, basis = np.linalg.svd(within, full_matrices=False)
        gains = ((1 - share) * lengths**2 / len(within) + level) ** -0.5
        plain = cls(*(np.asarray(part, np.float32) for part in (basis, gains, [level**-0.5])))
        scale = np.float32(1 / np.sqrt((plain(vectors) ** 2).mean()))
        return cls(plain.basis, plain.gains * scale, plain.rest * scale)

    def __call__(self, vectors: Array) -> Array:
        """Map (vectors, features)."""
        along = vectors @ self.basis.T
        mapped = self.rest * vectors + (along * (self.gains - self.rest)) @ self.basis
        return np.asarray(mapped, dtype=np.float32)


@dataclass(frozen=True)
class Normaliser:
    """Mean and deviation of one stream, (features) each."""

    mean: npt.NDArray[np.float32]
    deviation: npt.NDArray[np.float32]
    whitening: Whitening | None = None

    @classmethod
    def fitted(cls, arrays: Iterable[StoredArray]) -> Normaliser:
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
    def unchanging(cls, width: int) -> Normaliser:
        """One that leaves a stream as it is."""
        return cls(np.zeros(width, dtype=np.float32), np.ones(width, dtype=np.float32))

    def __call__(self, array: StoredArray) -> Array:
        """Standardise (frames, features), in float32."""
        standard: Array = (array - self.mean) / self.deviation
        return standard if self.whitening is None else self.whitening(standard)


def by_utterance(frames: StoredArray) -> Array:
    """Standardise (frames, features) by their own mean and deviation.

    A deviation below 0.001 counts as that: a feature that hardly moves is centred, not blown up.
    """
    wide = frames.astype(np.float64)
    deviation = np.maximum(wide.std(axis=0), _SMALLEST_OWN_DEVIATION)
    return np.asarray((wide - wide.mean(axis=0)) / deviation, dtype=np.float32)


def statistics(frames: StoredArray) -> Array:
    """Mean and deviation over frames side by side, (1, 2 * features)."""
    wide = frames.astype(np.float64)
    both = np.concatenate([wide.mean(axis=0), wide.std(axis=0)])
    return np.asarray(both[None], dtype=np.float32)


def fit_normalisers(
    examples: Examples, manners: Sequence[str | None] = ()
) -> tuple[Normaliser, ...]:
    """A normaliser a stream.

    Args:
        examples: the training part.
        manners: how each stream's input is to be normalised; as the system's is where None.

    Raises:
        EmonasError: frames are to be whitened.
    """
    named = manners or [None] * len(examples.streams)
    return tuple(
        _fitted(stream, examples, manner)
        for stream, manner in zip(examples.streams, named, strict=True)
    )


def _fitted(stream: Sequence[StoredArray], examples: Examples, manner: str | None) -> Normaliser:
    if manner == "none":
        return Normaliser.unchanging(stream[0].shape[1])
    plain = Normaliser.fitted(stream)
    if manner != "whiten":
        return plain
    if any(len(array) > 1 for array in stream):
        raise EmonasError(
            "inputs: normalise: whiten is for one vector an utterance; give the input "
            "`statistics: true`, or leave it out"
        )
    vectors = np.concatenate([plain(array) for array in stream])
    domains = np.zeros_like(examples.labels) if examples.domains is None else examples.domains
    groups = np.unique(np.stack([domains, examples.labels]), axis=1, return_inverse=True)[1]
    return replace(plain, whitening=Whitening.fitted(vectors, groups.ravel()))


def normalise(examples: Examples, normalisers: tuple[Normaliser, ...]) -> Examples:
    """Standardise every stream; without normalisers nothing changes."""
    if not normalisers:
        return examples
    streams = tuple(
        [normaliser(array) for array in stream]
        for normaliser, stream in zip(normalisers, examples.streams, strict=True)
    )
    return replace(examples, streams=streams)
