"""Examples in memory, and seeded batches of them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from emonas.networks.streams import Stream
from emonas.storage.features import StoredArray


class Batch(NamedTuple):
    """A stream an input, and `labels` (batch) as class numbers."""

    streams: tuple[Stream, ...]
    labels: Tensor

    def to(self, device: torch.device) -> Batch:
        """The same batch on a device."""
        moved = tuple(Stream(s.frames.to(device), s.lengths.to(device)) for s in self.streams)
        return Batch(moved, self.labels.to(device))


@dataclass(frozen=True)
class Examples:
    """`streams` has an entry an input, each an array (frames, features) an utterance, in the
    precision that it is stored in; `labels` (utterances) are class numbers.
    """

    streams: tuple[Sequence[StoredArray], ...]
    labels: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, rows: Sequence[int] | npt.NDArray[np.int64]) -> Examples:
        """The examples of some rows, in their order."""
        streams = tuple([stream[row] for row in rows] for stream in self.streams)
        return Examples(streams, self.labels[np.asarray(rows, dtype=np.int64)])

    def batch(self) -> Batch:
        """All examples as one batch of float32, padded with zeros to the longest."""
        streams = tuple(_pad(stream) for stream in self.streams)
        return Batch(streams, torch.from_numpy(self.labels))


class Batches:
    """Batches of examples; the order of an epoch depends on the seed and its number only, so that
    an interrupted training goes on as if nothing had happened.
    """

    def __init__(
        self, examples: Examples, size: int, seed: int = 0, *, shuffle: bool = False
    ) -> None:
        self.examples = examples
        self._size = size
        self._seed = seed
        self._shuffle = shuffle

    def __len__(self) -> int:
        return math.ceil(len(self.examples) / self._size)

    def epoch(self, number: int = 0) -> Iterator[Batch]:
        """The batches of one epoch; a last batch of one utterance joins the one before, because
        batch normalisation can't take it.
        """
        rows = np.arange(len(self.examples))
        if self._shuffle:
            rows = np.random.default_rng([self._seed, number]).permutation(rows)
        starts = list(range(0, len(rows), self._size))
        if len(starts) > 1 and len(rows) - starts[-1] == 1:
            starts.pop()
        for start, end in zip(starts, [*starts[1:], len(rows)], strict=True):
            yield self.examples.take(rows[start:end]).batch()


def _pad(arrays: Sequence[StoredArray]) -> Stream:
    lengths = np.asarray([len(array) for array in arrays], dtype=np.int64)
    frames = np.zeros((len(arrays), int(lengths.max()), arrays[0].shape[1]), dtype=np.float32)
    for row, array in zip(frames, arrays, strict=True):
        row[: len(array)] = array
    return Stream(torch.from_numpy(frames), torch.from_numpy(lengths))
