"""WeNet's Conformer encoder (Gulati et al., 2020; Yao et al., 2021), with the released names.

It hears whole utterances (full context). Parameters are named as in WeNet's releases, without the
`encoder.` before them, and its numbers are those of WeNet for an utterance on its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn

from emonas.networks.conformer_block import ConformerBlock
from emonas.networks.conformer_embedding import CONVOLUTIONS, Subsampling, sinusoids

NORM_EPSILON = 1e-5


@dataclass(frozen=True)
class ConformerShape:
    """The architecture; the defaults are WeNet's, those of CTA-RNN are wider and deeper.

    Attributes:
        inputs: mel bands.
        width: features of a frame between the blocks.
        heads: attention heads.
        hidden: units inside a feed-forward module.
        blocks: Conformer blocks.
        subsampling: how frames become fewer before the blocks, by 1, 4, 6 or 8.
        activation: inside feed-forward and convolution modules.
        macaron: a block has a feed-forward module on either side, each counted by half.
        convolution: a block has a convolution module.
        kernel: frames that its depthwise convolution sees.
        causal: it sees no frame to come.
        norm: its normalisation.
        normalize_before: layers are normalised at the input of each module, else at the sum.
        key_bias: the keys of the attention have a bias.
    """

    inputs: int = 80
    width: int = 256
    heads: int = 4
    hidden: int = 2048
    blocks: int = 6
    subsampling: Literal["linear", "conv2d", "conv2d6", "conv2d8"] = "conv2d"
    activation: Literal["swish", "relu", "gelu"] = "swish"
    macaron: bool = True
    convolution: bool = True
    kernel: int = 15
    causal: bool = False
    norm: Literal["batch_norm", "layer_norm"] = "batch_norm"
    normalize_before: bool = True
    key_bias: bool = True

    @property
    def rate(self) -> int:
        """Input frames that become one."""
        return prod(stride for _, stride in CONVOLUTIONS[self.subsampling])

    @property
    def receptive_field(self) -> int:
        """Input frames that the subsampling needs for one frame."""
        frames = 1
        for kernel, stride in reversed(CONVOLUTIONS[self.subsampling]):
            frames = (frames - 1) * stride + kernel
        return frames


class Encoded(NamedTuple):
    """What the encoder gives for a batch.

    Attributes:
        blocks: the output (batch, time, width) of each block that ran.
        output: that of the last of them, normalised, as WeNet's CTC reads it.
        lengths: (batch,) frames that are an utterance's own; what follows them means nothing.
    """

    blocks: tuple[Tensor, ...]
    output: Tensor
    lengths: Tensor


class FeatureNormalisation(nn.Module):
    """The mean of every mel band over the data of the training, and one over its deviation."""

    mean: Tensor
    istd: Tensor

    def __init__(self, bands: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(bands))
        self.register_buffer("istd", torch.ones(bands))

    def forward(self, frames: Tensor) -> Tensor:
        """Standardise (batch, time, bands)."""
        return (frames - self.mean) * self.istd


class ConformerEncoder(nn.Module):
    """Log mel frames to the outputs of the blocks."""

    def __init__(self, shape: ConformerShape) -> None:
        super().__init__()
        self.shape = shape
        self.global_cmvn = FeatureNormalisation(shape.inputs)
        self.embed = Subsampling(shape.subsampling, shape.inputs, shape.width)
        self.encoders = nn.ModuleList(ConformerBlock(shape) for _ in range(shape.blocks))
        self.after_norm = nn.LayerNorm(shape.width, eps=NORM_EPSILON)

    def forward(self, frames: Tensor, lengths: Tensor, blocks: int | None = None) -> Encoded:
        """Encode frames (batch, time, bands), of which (batch,) lengths are an utterance's own.

        What an utterance gets does not depend on the padding. An utterance must have as many
        frames as `shape.receptive_field`, or it gets none.

        Args:
            frames: the log mel frames, padded to one length.
            lengths: frames of each utterance.
            blocks: how many blocks run; all of them where it is None.
        """
        encoded: Tensor = self.embed(self.global_cmvn(frames))
        encoded = encoded * self.shape.width**0.5
        lengths = self.embed.lengths(lengths)
        outputs = tuple(self._outputs(encoded, lengths, blocks))
        last = self.after_norm(outputs[-1]) if self.shape.normalize_before else outputs[-1]
        return Encoded(outputs, last, lengths)

    def _outputs(self, frames: Tensor, lengths: Tensor, blocks: int | None) -> Iterator[Tensor]:
        times = torch.arange(frames.shape[1], device=frames.device)
        own = times < lengths[:, None]
        positions = sinusoids(times, self.shape.width)
        for block in self.encoders[:blocks]:
            frames = block(frames, positions, own)
            yield frames
