"""Attention of several heads with a learnt query each (CTA-RNN, 3.2)."""

import math

import torch
from torch import Tensor, nn


class HeadWeights(nn.Module):
    """softmax(W_Q (W_K H^T) / sqrt(d)) of every head (CTA-RNN, eqs. 1 and 2)."""

    def __init__(self, width: int, heads: int, head_width: int) -> None:
        super().__init__()
        self.query = nn.Parameter(torch.empty(heads, head_width))
        self.key = nn.Parameter(torch.empty(heads, head_width, width))
        _start(self.query)
        _start(self.key)

    def forward(self, features: Tensor, mask: Tensor | None = None) -> Tensor:
        """(batch, steps, width), and (batch, steps) where steps count, to (batch, heads, steps)."""
        # W_Q W_K first: of a head's many keys, only their product with one query is asked.
        asked = torch.einsum("jd,jdw->jw", self.query, self.key) / math.sqrt(self.query.shape[1])
        scores = torch.einsum("bsw,jw->bjs", features, asked)
        if mask is not None:
            scores = scores.masked_fill(~mask[:, None], float("-inf"))
        return scores.softmax(dim=2)


class HeadValues(nn.Module):
    """W_V of every head, and the heads side by side (CTA-RNN, eq. 4)."""

    def __init__(self, width: int, heads: int, head_width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(heads, head_width, width))
        _start(self.weight)

    def forward(self, weighed: Tensor) -> Tensor:
        """What a head's weights left of the features, (batch, heads, width), to (batch, heads *
        head_width).
        """
        return torch.einsum("bjw,jdw->bjd", weighed, self.weight).flatten(1)


class SelfAttention(nn.Module):
    """Multi-head self-attention over the frames of one stream.

    The paper names it without an equation: eqs. 1 and 4 with one channel (our reading).
    """

    def __init__(self, width: int, heads: int, head_width: int) -> None:
        super().__init__()
        self.weights = HeadWeights(width, heads, head_width)
        self.values = HeadValues(width, heads, head_width)

    def forward(self, frames: Tensor, mask: Tensor) -> Tensor:
        """(batch, time, width) and (batch, time) to (batch, heads * head_width)."""
        vector: Tensor = self.values(torch.bmm(self.weights(frames, mask), frames))
        return vector


class ChannelTemporalAttention(nn.Module):
    """Attention over blocks and over frames, applied as an outer product (CTA-RNN, eqs. 1 to 4).

    The sum of (W_V H) * A over blocks and frames is W_V times the sum of H * A, which needs no
    value for every block and frame.
    """

    def __init__(self, width: int, heads: int, head_width: int) -> None:
        super().__init__()
        self.block_weights = HeadWeights(width, heads, head_width)
        self.frame_weights = HeadWeights(width, heads, head_width)
        self.values = HeadValues(width, heads, head_width)

    def forward(self, states: Tensor, mask: Tensor) -> Tensor:
        """(batch, blocks, time, width) and (batch, time) to (batch, heads * head_width).

        States behind an utterance's end weigh nothing, but must be finite numbers.
        """
        share = mask / mask.sum(dim=1, keepdim=True)
        over_frames = torch.einsum("bt,bntw->bnw", share, states)
        over_blocks = states.mean(dim=1)
        at_blocks = self.block_weights(over_frames)
        at_frames = self.frame_weights(over_blocks, mask)
        weighed = torch.matmul(at_frames[:, None], states)
        vector: Tensor = self.values(torch.einsum("bjn,bnjw->bjw", at_blocks, weighed))
        return vector


def _start(parameter: nn.Parameter) -> None:
    """Start as a linear map of torch does (ours; the paper says nothing)."""
    bound = 1 / math.sqrt(parameter.shape[-1])
    nn.init.uniform_(parameter, -bound, bound)
