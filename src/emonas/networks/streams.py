"""What goes into and comes out of every network."""

from typing import NamedTuple

import torch
from torch import Tensor


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
    """`logits` (batch, classes) and `embedding` (batch, width), what the classifier saw."""

    logits: Tensor
    embedding: Tensor
