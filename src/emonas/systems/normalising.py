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

    It maps `streams` (numbers) side by side. `basis` (directions, features) are the directions in
    which the training part varies, `gains` (directions) what each is multiplied by, and `rest`
    what all others are, (1).
    """

    streams: npt.NDArray[np.int64]
    basis: npt.NDArray[np.float32]
    gains: npt.NDArray[np.float32]
    rest: npt.NDArray[np.float32]

    @classmethod
    def fitted(
        cls, streams: Sequence[int], vectors: Array, groups: npt.NDArray[np.int64]
    ) -> Whitening:
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
        parts = (np.asarray(part, np.float32) for part in (basis, gains, [level**-0.5]))
        plain = cls(np.asarray(streams, np.int64), *parts)
        scale = np.float32(1 / np.sqrt((plain.mapped(vectors) ** 2).mean()))
        return replace(plain, gains=plain.gains * scale, rest=plain.rest * scale)

    def mapped(self, vectors: Array) -> Array:
        """Map (vectors, features)."""
        along = vectors @ self.basis.T
        mapped = self.rest * vectors + (along * (self.gains - self.rest)) @ self.basis
        return np.asarray(mapped, dtype=np.float32)

    def __call__(self, standard: Sequence[Sequence[Array]]) -> tuple[Sequence[Array], ...]:
        """All streams, those that it maps replaced; their entries are one vector an utterance."""
        done = list(standard)
        mapped = self.mapped(_side_by_side(standard, self.streams))
        ends = np.cumsum([standard[stream][0].shape[1] for stream in self.streams])
        for stream, columns in zip(self.streams, np.split(mapped, ends[:-1], axis=1), strict=True):
            done[stream] = [row[None] for row in columns]
        return tuple(done)


@dataclass(frozen=True)
class Standardiser:
    """Mean and deviation of one stream, (features) each."""

    mean: npt.NDArray[np.float32]
    deviation: npt.NDArray[np.float32]

    @classmethod
    def fitted(cls, arrays: Iterable[StoredArray]) -> Standardiser:
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
    def unchanging(cls, width: int) -> Standardiser:
        """One that leaves a stream as it is."""
        return cls(np.zeros(width, dtype=np.float32), np.ones(width, dtype=np.float32))

    def __call__(self, array: StoredArray) -> Array:
        """Standardise (frames, features), in float32."""
        standard: Array = (array - self.mean) / self.deviation
        return standard


@dataclass(frozen=True)
class Normaliser:
    """What a fold's training part says of every stream; an empty one changes nothing."""

    standardisers: tuple[Standardiser, ...] = ()
    whitening: Whitening | None = None

    def __call__(self, examples: Examples) -> Examples:
        """Standardise every stream, and whiten together those that are whitened."""
        if not self.standardisers:
            return examples
        streams: tuple[Sequence[Array], ...] = tuple(
            [standardiser(array) for array in stream]
            for standardiser, stream in zip(self.standardisers, examples.streams, strict=True)
        )
        if self.whitening is not None and len(examples):
            streams = self.whitening(streams)
        return replace(examples, streams=streams)


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


def fit_normaliser(examples: Examples, manners: Sequence[str | None] = ()) -> Normaliser:
    """Fit to the training part.

    Args:
        examples: the training part.
        manners: how each stream's input is to be normalised; as the system's is where None.

    Raises:
        EmonasError: frames are to be whitened.
    """
    named = manners or [None] * len(examples.streams)
    standard = Normaliser(
        tuple(
            _standardiser(stream, manner)
            for stream, manner in zip(examples.streams, named, strict=True)
        )
    )
    whitened = [number for number, manner in enumerate(named) if manner == "whiten"]
    if not whitened:
        return standard
    if any(len(array) > 1 for number in whitened for array in examples.streams[number]):
        raise EmonasError(
            "inputs: normalise: whiten is for one vector an utterance; give the input "
            "`statistics: true`, or leave it out"
        )
    vectors = _side_by_side(standard(examples).streams, whitened)
    return replace(standard, whitening=Whitening.fitted(whitened, vectors, _groups(examples)))


def _standardiser(stream: Sequence[StoredArray], manner: str | None) -> Standardiser:
    if manner == "none":
        return Standardiser.unchanging(stream[0].shape[1])
    return Standardiser.fitted(stream)


def _side_by_side(
    streams: Sequence[Sequence[StoredArray]], numbers: Iterable[int]
) -> npt.NDArray[np.float32]:
    """Some streams of one vector an utterance, as (utterances, features of all of them)."""
    return np.concatenate([np.concatenate(list(streams[number])) for number in numbers], axis=1)


def _groups(examples: Examples) -> npt.NDArray[np.int64]:
    """A number for every class, or for every class of every domain, an utterance each."""
    domains = np.zeros_like(examples.labels) if examples.domains is None else examples.domains
    both = np.stack([domains, examples.labels])
    return np.unique(both, axis=1, return_inverse=True)[1].ravel()
