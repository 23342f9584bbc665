"""Examples in memory, and seeded batches of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from emonas.networks.streams import Output, Stream
from emonas.storage.features import StoredArray

Rows = npt.NDArray[np.int64]
"""Numbers of examples."""


class Batch(NamedTuple):
    """A stream an input, and `labels` (batch) as class numbers; `domain` is the number of the
    domain that all its utterances are of, None where domains are not told apart.
    """

    streams: tuple[Stream, ...]
    labels: Tensor
    domain: int | None = None

    def to(self, device: torch.device) -> Batch:
        """The same batch on a device."""
        moved = tuple(Stream(s.frames.to(device), s.lengths.to(device)) for s in self.streams)
        return Batch(moved, self.labels.to(device), self.domain)

    def through(self, network: nn.Module) -> Output:
        """What a network makes of it."""
        known = {} if self.domain is None else {"domain": self.domain}
        output: Output = network(*self.streams, **known)
        return output


@dataclass(frozen=True)
class Examples:
    """`streams` has an entry an input, each an array (frames, features) an utterance, in the
    precision that it is stored in; `labels` (utterances) are class numbers, and so are `domains`
    numbers of domains, None where they are not told apart.
    """

    streams: tuple[Sequence[StoredArray], ...]
    labels: npt.NDArray[np.int64]
    domains: npt.NDArray[np.int64] | None = None

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, rows: Sequence[int] | npt.NDArray[np.int64]) -> Examples:
        """The examples of some rows, in their order."""
        streams = tuple([stream[row] for row in rows] for stream in self.streams)
        numbers = np.asarray(rows, dtype=np.int64)
        domains = None if self.domains is None else self.domains[numbers]
        return Examples(streams, self.labels[numbers], domains)

    def batch(self) -> Batch:
        """All examples, which are of one domain, as one batch of float32, padded with zeros to the
        longest.
        """
        streams = tuple(_pad(stream) for stream in self.streams)
        domain = None if self.domains is None else int(self.domains[0])
        return Batch(streams, torch.from_numpy(self.labels), domain)


class Batches:
    """Batches of examples; the order of an epoch depends on the seed and its number only, so that
    an interrupted training goes on as if nothing had happened.

    Where domains are told apart, a batch is of one domain, and the domains come in shuffled turn.
    """

    def __init__(
        self, examples: Examples, size: int, seed: int = 0, *, shuffle: bool = False
    ) -> None:
        self.examples = examples
        self._size = size
        self._seed = seed
        self._shuffle = shuffle

    def __len__(self) -> int:
        return len(self.rows())

    def epoch(self, number: int = 0) -> Iterator[Batch]:
        """The batches of one epoch."""
        for rows in self.rows(number):
            yield self.examples.take(rows).batch()

    def rows(self, number: int = 0) -> list[Rows]:
        """The rows of the examples that make each batch of an epoch."""
        rows = np.arange(len(self.examples))
        generator = np.random.default_rng([self._seed, number])
        if self._shuffle:
            rows = generator.permutation(rows)
        domains = self.examples.domains
        if domains is None:
            return self._pieces(rows)
        parts = [rows[domains[rows] == domain] for domain in np.unique(domains)]
        pieces = [piece for part in parts for piece in self._pieces(part)]
        order = generator.permutation(len(pieces)) if self._shuffle else range(len(pieces))
        return [pieces[turn] for turn in order]

    def _pieces(self, rows: Rows) -> list[Rows]:
        """Rows in batches; a last one of one utterance joins the one before, because batch
        normalisation can't take it.
        """
        starts = list(range(0, len(rows), self._size))
        if len(starts) > 1 and len(rows) - starts[-1] == 1:
            starts.pop()
        return [rows[a:b] for a, b in zip(starts, [*starts[1:], len(rows)], strict=True)]


def _pad(arrays: Sequence[StoredArray]) -> Stream:
    lengths = np.asarray([len(array) for array in arrays], dtype=np.int64)
    frames = np.zeros((len(arrays), int(lengths.max()), arrays[0].shape[1]), dtype=np.float32)
    for row, array in zip(frames, arrays, strict=True):
        row[: len(array)] = array
    return Stream(torch.from_numpy(frames), torch.from_numpy(lengths))
