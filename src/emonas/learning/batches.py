"""Examples in memory, and seeded batches of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from emonas.networks.streams import Output, Stream
from emonas.storage.features import StoredArray

Rows = npt.NDArray[np.int64]
"""Numbers of examples."""
NO_ANSWER = -1
"""Stands behind the end of an utterance's answers to a task."""


class Targets(NamedTuple):
    """The right answers to a task: `numbers` (batch, longest), `NO_ANSWER` behind an utterance's
    last, and `lengths` (batch), how many each has; none where nobody knows them.
    """

    numbers: Tensor
    lengths: Tensor


class Batch(NamedTuple):
    """A stream an input, and `labels` (batch) as class numbers; `domain` is the number of the
    domain that all its utterances are of, None where domains are not told apart; `targets` are the
    right answers to tasks beside the classes, by name.
    """

    streams: tuple[Stream, ...]
    labels: Tensor
    domain: int | None = None
    targets: Mapping[str, Targets] | None = None

    def to(self, device: torch.device) -> Batch:
        """The same batch on a device."""
        moved = tuple(Stream(s.frames.to(device), s.lengths.to(device)) for s in self.streams)
        targets = {
            task: Targets(t.numbers.to(device), t.lengths.to(device))
            for task, t in (self.targets or {}).items()
        }
        return Batch(moved, self.labels.to(device), self.domain, targets or None)

    def pieces(self, count: int) -> list[Batch]:
        """The batch in so many parts of nearly equal size, each as long as its longest utterance;
        fewer where there are not so many utterances.
        """
        if count == 1:
            return [self]
        rows = torch.arange(len(self.labels), device=self.labels.device)
        return [self._part(part) for part in rows.tensor_split(min(count, len(rows)))]

    def _part(self, rows: Tensor) -> Batch:
        streams = tuple(
            Stream(s.frames[rows, : int(s.lengths[rows].max())], s.lengths[rows])
            for s in self.streams
        )
        targets = {
            task: Targets(t.numbers[rows], t.lengths[rows])
            for task, t in (self.targets or {}).items()
        }
        return Batch(streams, self.labels[rows], self.domain, targets or None)

    def through(self, network: nn.Module) -> Output:
        """What a network makes of it."""
        known = {} if self.domain is None else {"domain": self.domain}
        output: Output = network(*self.streams, **known)
        return output


@dataclass(frozen=True)
class Examples:
    """`streams` has an entry an input, each an array (frames, features) an utterance, in the
    precision that it is stored in; `labels` (utterances) are class numbers, and so are `domains`
    numbers of domains, None where they are not told apart. `targets` are the right answers to tasks
    beside the classes, by name: the numbers of each utterance, none where nobody knows them.
    `names` are the utterances', for messages, where they are known.
    """

    streams: tuple[Sequence[StoredArray], ...]
    labels: npt.NDArray[np.int64]
    domains: npt.NDArray[np.int64] | None = None
    targets: Mapping[str, Sequence[npt.NDArray[np.int64]]] = field(default_factory=dict)
    names: Sequence[str] = ()

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, rows: Sequence[int] | npt.NDArray[np.int64]) -> Examples:
        """The examples of some rows, in their order."""
        streams = tuple([stream[row] for row in rows] for stream in self.streams)
        numbers = np.asarray(rows, dtype=np.int64)
        domains = None if self.domains is None else self.domains[numbers]
        targets = {task: [known[row] for row in rows] for task, known in self.targets.items()}
        names = [self.names[row] for row in rows] if self.names else ()
        return Examples(streams, self.labels[numbers], domains, targets, names)

    @property
    def lengths(self) -> npt.NDArray[np.int64]:
        """The frames of each utterance's first stream."""
        return np.asarray([len(frames) for frames in self.streams[0]], dtype=np.int64)

    def cut(self, frames: int) -> Examples:
        """The first frames of every utterance that has more."""
        streams = tuple([array[:frames] for array in stream] for stream in self.streams)
        return replace(self, streams=streams)

    def batch(self) -> Batch:
        """All examples, which are of one domain, as one batch of float32, padded with zeros to the
        longest.
        """
        streams = tuple(_pad(stream) for stream in self.streams)
        domain = None if self.domains is None else int(self.domains[0])
        targets = {task: _targets(known) for task, known in self.targets.items()}
        return Batch(streams, torch.from_numpy(self.labels), domain, targets or None)


class Batches:
    """Batches of examples; the order of an epoch depends on the seed and its number only, so that
    an interrupted training goes on as if nothing had happened.

    Where domains are told apart, a batch is of one domain, and the domains come in shuffled turn.
    With `by_length`, utterances of like length come into one batch, which saves padding: so many
    as fill `POOL` batches are drawn at a time and sorted, and the batches come in shuffled turn.
    """

    POOL = 16

    def __init__(
        self,
        examples: Examples,
        size: int,
        seed: int = 0,
        *,
        shuffle: bool = False,
        by_length: bool = False,
    ) -> None:
        self.examples = examples
        self._size = size
        self._seed = seed
        self._shuffle = shuffle
        self._lengths = examples.lengths if by_length else None

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
        if domains is None and self._lengths is None:
            return self._pieces(rows)
        parts = [rows]
        if domains is not None:
            parts = [rows[domains[rows] == domain] for domain in np.unique(domains)]
        pieces = [piece for part in parts for piece in self._pieces(self._sorted(part))]
        order = generator.permutation(len(pieces)) if self._shuffle else range(len(pieces))
        return [pieces[turn] for turn in order]

    def _sorted(self, rows: Rows) -> Rows:
        """Rows by length, some batches at a time, so that chance still mixes them."""
        if self._lengths is None or not len(rows):
            return rows
        pool = self.POOL * self._size
        pools = [rows[start : start + pool] for start in range(0, len(rows), pool)]
        lengths = self._lengths
        return np.concatenate([part[np.argsort(lengths[part], kind="stable")] for part in pools])

    def _pieces(self, rows: Rows) -> list[Rows]:
        """Rows in batches; a last one of one utterance joins the one before, because batch
        normalisation can't take it.
        """
        starts = list(range(0, len(rows), self._size))
        if len(starts) > 1 and len(rows) - starts[-1] == 1:
            starts.pop()
        return [rows[a:b] for a, b in zip(starts, [*starts[1:], len(rows)], strict=True)]


def _targets(known: Sequence[npt.NDArray[np.int64]]) -> Targets:
    lengths = np.asarray([len(numbers) for numbers in known], dtype=np.int64)
    padded = np.full((len(known), int(lengths.max(initial=0))), NO_ANSWER, dtype=np.int64)
    for row, numbers in zip(padded, known, strict=True):
        row[: len(numbers)] = numbers
    return Targets(torch.from_numpy(padded), torch.from_numpy(lengths))


def _pad(arrays: Sequence[StoredArray]) -> Stream:
    lengths = np.asarray([len(array) for array in arrays], dtype=np.int64)
    frames = np.zeros((len(arrays), int(lengths.max()), arrays[0].shape[1]), dtype=np.float32)
    for row, array in zip(frames, arrays, strict=True):
        row[: len(array)] = array
    return Stream(torch.from_numpy(frames), torch.from_numpy(lengths))
