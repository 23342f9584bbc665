"""A block of WeNet's Conformer: feed-forward, attention, convolution and feed-forward modules.

Frames are (batch, time, width); `own` (batch, time) says which of them belong to the utterance.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from emonas.networks.conformer import ConformerShape

ACTIVATIONS: dict[str, type[nn.Module]] = {"swish": nn.SiLU, "relu": nn.ReLU, "gelu": nn.GELU}


class FeedForward(nn.Module):
    """Two linear layers over each frame."""

    def __init__(self, shape: ConformerShape) -> None:
        super().__init__()
        self.w_1 = nn.Linear(shape.width, shape.hidden)
        self.activation = ACTIVATIONS[shape.activation]()
        self.w_2 = nn.Linear(shape.hidden, shape.width)

    def forward(self, frames: Tensor) -> Tensor:
        """Frame by frame."""
        result: Tensor = self.w_2(self.activation(self.w_1(frames)))
        return result


class PositionalAttention(nn.Module):
    """Self-attention whose score also has a term of the position (Dai et al., 2019, section 3.3).

    As in WeNet the position is that of the key from the beginning: its rows are not shifted, so
    the term is not the distance of the paper.
    """

    def __init__(self, shape: ConformerShape) -> None:
        super().__init__()
        width, head = shape.width, shape.width // shape.heads
        self._heads = shape.heads
        self._scale = head**-0.5
        self.linear_q = nn.Linear(width, width)
        self.linear_k = nn.Linear(width, width, bias=shape.key_bias)
        self.linear_v = nn.Linear(width, width)
        self.linear_out = nn.Linear(width, width)
        self.linear_pos = nn.Linear(width, width, bias=False)
        self.pos_bias_u = nn.Parameter(torch.zeros(shape.heads, head))
        self.pos_bias_v = nn.Parameter(torch.zeros(shape.heads, head))

    def forward(self, frames: Tensor, positions: Tensor, own: Tensor) -> Tensor:
        """Attend from every frame to the utterance's own; positions are (time, width)."""
        query = self._split(self.linear_q(frames))
        key = self._split(self.linear_k(frames))
        value = self._split(self.linear_v(frames))
        position = self._split(self.linear_pos(positions)[None])
        content = (query + self.pos_bias_u[:, None]) @ key.transpose(2, 3)
        place = (query + self.pos_bias_v[:, None]) @ position.transpose(2, 3)
        scores = (content + place) * self._scale
        weights = scores.masked_fill(~own[:, None, None], -torch.inf).softmax(dim=3)
        heads = weights @ value
        result: Tensor = self.linear_out(heads.transpose(1, 2).flatten(2))
        return result

    def _split(self, frames: Tensor) -> Tensor:
        """(batch, time, width) to (batch, heads, time, width of a head)."""
        batch, time, _ = frames.shape
        return frames.reshape(batch, time, self._heads, -1).transpose(1, 2)


class Convolution(nn.Module):
    """Gated pointwise convolution, depthwise convolution over time, pointwise convolution."""

    def __init__(self, shape: ConformerShape) -> None:
        super().__init__()
        width, kernel = shape.width, shape.kernel
        self._past = kernel - 1 if shape.causal else 0
        self._layer_norm = shape.norm == "layer_norm"
        self.pointwise_conv1 = nn.Conv1d(width, 2 * width, 1)
        around = 0 if shape.causal else (kernel - 1) // 2
        self.depthwise_conv = nn.Conv1d(width, width, kernel, padding=around, groups=width)
        self.norm = nn.LayerNorm(width) if self._layer_norm else nn.BatchNorm1d(width)
        self.activation = ACTIVATIONS[shape.activation]()
        self.pointwise_conv2 = nn.Conv1d(width, width, 1)

    def forward(self, frames: Tensor, own: Tensor) -> Tensor:
        """Convolve over time.

        A causal convolution has zeros before the utterance and before the gate. Any other has zeros
        on both sides behind the gate, in place of a batch's padding too. (WeNet puts those of the
        padding before the gate, whose bias then leaks into the last frames of an utterance.)
        """
        signal = nn.functional.pad(frames.transpose(1, 2), (self._past, 0))
        gated = nn.functional.glu(self.pointwise_conv1(signal), dim=1)
        if not self._past:
            gated = gated.masked_fill(~own[:, None], 0.0)
        result: Tensor = self.pointwise_conv2(self.activation(self._normalise(gated)))
        return result.transpose(1, 2)

    def _normalise(self, gated: Tensor) -> Tensor:
        convolved: Tensor = self.depthwise_conv(gated)
        if self._layer_norm:
            convolved = convolved.transpose(1, 2)
        normalised: Tensor = self.norm(convolved)
        return normalised.transpose(1, 2) if self._layer_norm else normalised


class ConformerBlock(nn.Module):
    """The modules of a block, each with a layer normalisation and a residual connection."""

    def __init__(self, shape: ConformerShape) -> None:
        super().__init__()
        self._normalize_before = shape.normalize_before
        self._macaron = shape.macaron
        self._convolution = shape.convolution
        if shape.macaron:
            self.feed_forward_macaron = FeedForward(shape)
            self.norm_ff_macaron = nn.LayerNorm(shape.width)
        self.self_attn = PositionalAttention(shape)
        self.norm_mha = nn.LayerNorm(shape.width)
        if shape.convolution:
            self.conv_module = Convolution(shape)
            self.norm_conv = nn.LayerNorm(shape.width)
            self.norm_final = nn.LayerNorm(shape.width)
        self.feed_forward = FeedForward(shape)
        self.norm_ff = nn.LayerNorm(shape.width)

    def forward(self, frames: Tensor, positions: Tensor, own: Tensor) -> Tensor:
        """Frames to frames; positions are (time, width)."""
        share = 0.5 if self._macaron else 1.0
        if self._macaron:
            before = self._before(self.norm_ff_macaron, frames)
            frames = frames + share * self.feed_forward_macaron(before)
            frames = self._after(self.norm_ff_macaron, frames)
        before = self._before(self.norm_mha, frames)
        frames = frames + self.self_attn(before, positions, own)
        frames = self._after(self.norm_mha, frames)
        if self._convolution:
            frames = frames + self.conv_module(self._before(self.norm_conv, frames), own)
            frames = self._after(self.norm_conv, frames)
        frames = frames + share * self.feed_forward(self._before(self.norm_ff, frames))
        frames = self._after(self.norm_ff, frames)
        if self._convolution:
            frames = self.norm_final(frames)
        return frames

    def _before(self, norm: nn.Module, frames: Tensor) -> Tensor:
        return norm(frames) if self._normalize_before else frames

    def _after(self, norm: nn.Module, frames: Tensor) -> Tensor:
        return frames if self._normalize_before else norm(frames)
