"""A pretrained encoder of the waveform that is trained on, and not only read."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from torch import Tensor, nn

from emonas.networks.streams import Stream


class Encoded(NamedTuple):
    """What an encoder makes of waveforms.

    `last` (batch, frames, width) leaves the encoder, `lower` (batch, frames, width) one of its
    lower blocks, where that is asked for; `lengths` (batch) are the frames of each utterance.
    """

    last: Tensor
    lower: Tensor | None
    lengths: Tensor


@dataclass(frozen=True)
class Depth:
    """Which blocks of an encoder learn, and which are listened to.

    Attributes:
        frozen: so many of the lowest blocks keep their weights (m), and so does all below them.
        lower: the block, counted from 1, whose output is given beside the last one's.
        recompute: compute the blocks once more in the backward pass, which takes time and saves
            memory (gradient checkpointing).
    """

    frozen: int = 0
    lower: int | None = None
    recompute: bool = False


class WaveformEncoder(nn.Module, ABC):
    """Turns a stream of samples into frames; its convolutions are always frozen.

    What is frozen is also in evaluation mode all the time, so that it gives one and the same.
    """

    width: int

    def __init__(self) -> None:
        super().__init__()
        self._frozen: tuple[nn.Module, ...] = ()

    @abstractmethod
    def forward(self, stream: Stream) -> Encoded:
        """Encode (batch, samples, 1) at 16 kHz, full scale 1."""

    def freeze(self, parts: Iterable[nn.Module]) -> None:
        """Keep the weights of some parts as they are from now on."""
        self._frozen = (*self._frozen, *parts)
        for part in self._frozen:
            part.requires_grad_(False)
            part.eval()

    def train(self, mode: bool = True) -> WaveformEncoder:
        """Set the mode of all that learns."""
        super().train(mode)
        for part in self._frozen:
            part.eval()
        return self
