"""Dropout that is the same at every frame of an utterance."""

import torch
from torch import Tensor, nn


class FrameSharedDropout(nn.Module):
    """Drops features of a whole utterance, and scales the rest up (Gal and Ghahramani, 2016).

    Frames stand close together, so that a feature that is dropped in one is known from the next.
    """

    def __init__(self, share: float) -> None:
        super().__init__()
        self._share = share

    def forward(self, frames: Tensor) -> Tensor:
        """(batch, time, features) to the same shape; in evaluation nothing changes."""
        if not self.training or self._share == 0:
            return frames
        kept = torch.empty_like(frames[:, :1]).bernoulli_(1 - self._share)
        return frames * kept / (1 - self._share)
