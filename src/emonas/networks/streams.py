"""What goes into and comes out of every network."""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from emonas.errors import EmonasError


class Stream(NamedTuple):
    """One input of a batch: `frames` (batch, time, features), zero behind an utterance's end, and
    `lengths` (batch), its frames.
    """

    frames: Tensor
    lengths: Tensor

    @property
    def mask(self) -> Tensor:
        """True where a frame belongs to the utterance, (batch, time)."""
        steps = torch.arange(self.frames.shape[1], device=self.frames.device)
        return steps[None] < self.lengths[:, None]


class Output(NamedTuple):
    """`logits` (batch, classes), `embedding` (batch, width), what the classifier saw, and `gates`
    (batch, gated inputs), the weights that a gating network gave, where there is one. `tasks` are
    the answers to tasks beside the classes, by name: `frames` (batch, steps, answers) of a stream,
    one step where an utterance has one answer. `frames` (batch, time, classes) are the logits of
    each frame, where frames are classified. `members` (members, batch, classes) are the logits of
    each member of an ensemble that is learning; the logits are then logarithms of their mean
    probabilities.
    """

    logits: Tensor
    embedding: Tensor
    gates: Tensor | None = None
    tasks: Mapping[str, Stream] | None = None
    frames: Tensor | None = None
    members: Tensor | None = None


def averaged(members: Tensor) -> Tensor:
    """From logits (members, batch, classes) to the logarithms of the members' mean probabilities,
    (batch, classes) (Lakshminarayanan et al. 2017, 2.4).
    """
    return members.log_softmax(dim=2).logsumexp(dim=0) - math.log(len(members))


def side_by_side(streams: Sequence[Stream]) -> Stream:
    """One stream of all features of each frame, such as several layers of one encoder.

    Raises:
        EmonasError: the streams differ in length.
    """
    lengths = _common_lengths(streams)
    if len(streams) == 1:
        return streams[0]
    return Stream(torch.cat([stream.frames for stream in streams], dim=2), lengths)


def stacked(streams: Sequence[Stream]) -> tuple[Tensor, Tensor]:
    """The frames of all streams, (batch, streams, time, features), and their lengths (batch).

    Raises:
        EmonasError: the streams differ in length.
    """
    lengths = _common_lengths(streams)
    # What works stream by stream then finds each stream in one piece.
    return torch.stack([stream.frames for stream in streams]).transpose(0, 1), lengths


def _common_lengths(streams: Sequence[Stream]) -> Tensor:
    first, *others = streams
    for other in others:
        same = other.frames.shape[1] == first.frames.shape[1]
        # A network that only counts has no lengths to compare.
        if not same or not (first.lengths.is_meta or torch.equal(first.lengths, other.lengths)):
            raise EmonasError(
                "inputs: features of different frame rates can't stand side by side; name layers "
                "of one feature, and fuse systems for more"
            )
    return first.lengths
