"""From frames to one vector an utterance; padding never counts."""

import torch
from torch import Tensor, nn

from emonas.networks.streams import Stream


class AttentionPooling(nn.Module):
    """Weighted mean of frames, the weights a softmax of one linear score (EmotionNAS v2, 2.2)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.score = nn.Linear(width, 1)

    def forward(self, frames: Tensor, mask: Tensor) -> Tensor:
        """(batch, time, width) and (batch, time) to (batch, width)."""
        # A cell may overflow on padding, and a weight of 0 times infinity is not 0.
        frames = frames.masked_fill(~mask[..., None], 0.0)
        scores = self.score(frames).squeeze(-1).masked_fill(~mask, float("-inf"))
        return torch.einsum("bt,btw->bw", scores.softmax(dim=1), frames)


class StatisticsPooling(nn.Module):
    """Mean and deviation over frames side by side; nothing is learnt.

    A deviation below `SMALLEST` counts as that, because the root has no slope at 0.
    """

    SMALLEST = 1e-3

    def forward(self, frames: Tensor, mask: Tensor) -> Tensor:
        """(batch, time, width) and (batch, time) to (batch, 2 * width)."""
        frames = frames.masked_fill(~mask[..., None], 0.0)
        count = mask.sum(dim=1, keepdim=True)
        mean = frames.sum(dim=1) / count
        squares = ((frames - mean[:, None]) ** 2 * mask[..., None]).sum(dim=1) / count
        return torch.cat([mean, squares.clamp_min(self.SMALLEST**2).sqrt()], dim=1)


def mean_over_frames(stream: Stream) -> Tensor:
    """Mean over an utterance's frames, (batch, features)."""
    return (stream.frames * stream.mask[..., None]).sum(dim=1) / stream.lengths[:, None]


def mean_and_deviation(stream: Stream) -> Tensor:
    """Mean and standard deviation over an utterance's frames, (batch, 2 * features)."""
    mean = mean_over_frames(stream)
    squares = ((stream.frames - mean[:, None]) ** 2 * stream.mask[..., None]).sum(dim=1)
    return torch.cat([mean, (squares / stream.lengths[:, None]).sqrt()], dim=1)
