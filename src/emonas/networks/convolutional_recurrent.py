"""Convolutions over a spectrogram, and recurrent layers over what they leave of its frames."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor, nn

from emonas.networks.bidirectional import run_packed
from emonas.networks.streams import Output, Stream


class FrameBatchNorm(nn.Module):
    """Batch normalisation of images by the utterances' own frames: padding has no say."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(channels)

    def forward(self, images: Tensor, mask: Tensor) -> Tensor:
        """(batch, channels, time, features), and (batch, time), True where a frame counts."""
        if not self.training:
            applied: Tensor = self.norm(images)
            return applied
        frames = images.transpose(1, 2)
        own = self.norm(frames[mask].transpose(0, 1)[None])
        normed = torch.zeros_like(frames)
        normed[mask] = own[0].transpose(0, 1)
        return normed.transpose(1, 2)


class MaskedConvolutions(nn.Module):
    """Layers of a convolution, batch normalisation, ReLU and max pooling.

    Frames behind an utterance's end are zero before each layer, as if nothing were there; so is
    what lies outside the image. A last pool that is not full counts as one.

    Args:
        channels: those that each convolution gives.
        kernel: frames and features that a kernel spans.
        pool: frames and features of which the largest is kept, after each convolution.
    """

    def __init__(self, channels: Sequence[int], kernel: int, pool: int) -> None:
        super().__init__()
        self._channels, self._pool = tuple(channels), pool
        sizes = list(pairwise((1, *channels)))
        self.convolutions = nn.ModuleList(
            nn.Conv2d(inputs, outputs, kernel, padding="same", bias=False)
            for inputs, outputs in sizes
        )
        self.norms = nn.ModuleList(FrameBatchNorm(outputs) for _, outputs in sizes)
        self.pooling = nn.MaxPool2d(pool, ceil_mode=True)

    def width(self, features: int) -> int:
        """Features of a frame that comes out, of a frame that goes in."""
        kept = features
        for _ in self._channels:
            kept = -(-kept // self._pool)
        return self._channels[-1] * kept

    def forward(self, stream: Stream) -> Stream:
        """(batch, time, features) to (batch, time / pool ** layers, width), rounded up."""
        frames, lengths = stream.frames.masked_fill(~stream.mask[..., None], 0.0), stream.lengths
        images = frames[:, None]
        for convolution, norm in zip(self.convolutions, self.norms, strict=True):
            mask = Stream(images[:, 0], lengths).mask
            images = nn.functional.relu(norm(convolution(images), mask))
            # No ReLU is below 0, so that a pool at the end keeps the largest of the own frames.
            images = self.pooling(images.masked_fill(~mask[:, None, :, None], 0.0))
            lengths = (lengths + self._pool - 1) // self._pool
        return Stream(images.transpose(1, 2).flatten(2), lengths)


class ConvolutionalRecurrent(nn.Module):
    """Convolutions, bidirectional recurrent layers, a classifier on the last states of both
    directions: with an LSTM after Satt et al. (2017), with a GRU and a fully connected layer after
    Ma et al. (2018).

    Args:
        features: those of a frame.
        convolutions: what makes frames for the recurrent layers.
        cell: of which kind these are.
        hidden: width of a state, in each direction.
        layers: how many are stacked.
        dense: width of a fully connected layer with ReLU before the classifier; none where None.
        classes: how many there are.
        dropout: before the classifier.
    """

    def __init__(
        self,
        features: int,
        convolutions: MaskedConvolutions,
        cell: Literal["lstm", "gru"],
        hidden: int,
        layers: int,
        dense: int | None,
        classes: int,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        kind = nn.LSTM if cell == "lstm" else nn.GRU
        width = convolutions.width(features)
        self.convolutions = convolutions
        self.cells = kind(width, hidden, layers, batch_first=True, bidirectional=True)
        self.dense = nn.Identity() if dense is None else _fully_connected(2 * hidden, dense)
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(2 * hidden if dense is None else dense, classes)

    def forward(self, stream: Stream) -> Output:
        """One stream to logits and what the classifier sees."""
        _, ended = run_packed(self.cells, self.convolutions(stream))
        last = ended[0] if isinstance(ended, tuple) else ended
        # The last two are the directions of the top layer.
        embedding = self.dense(torch.cat([last[-2], last[-1]], dim=1))
        return Output(self.classifier(self.dropout(embedding)), embedding)


def _fully_connected(inputs: int, outputs: int) -> nn.Module:
    return nn.Sequential(nn.Linear(inputs, outputs), nn.ReLU())
