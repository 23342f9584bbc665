"""The convolutional encoder wav2vec 1.0 (Schneider et al., 2019), with the released names.

The layers are those of `wav2vec-large`: a feature extractor on the waveform, and an aggregator
that looks only into the past. The released checkpoints also hold the head of the pre-training
task, `wav2vec_predictions`, which features do not need and this module has not.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

ConvolutionLayer = tuple[int, int, int]
"""Channels, kernel and stride."""

RESIDUAL_SCALE = 0.5


class FeatureExtractor(nn.Module):
    """Strided convolutions from samples to latent frames."""

    def __init__(self, layers: Sequence[ConvolutionLayer]) -> None:
        super().__init__()
        self.conv_layers = nn.ModuleList()
        width = 1
        for channels, kernel, stride in layers:
            # The identity stands where the release has a dropout, so that the names agree.
            self.conv_layers.append(
                nn.Sequential(
                    nn.Conv1d(width, channels, kernel, stride, bias=False),
                    nn.Identity(),
                    nn.GroupNorm(1, channels),
                    nn.ReLU(),
                )
            )
            width = channels

    def forward(self, waveform: Tensor) -> Tensor:
        """Map (batch, samples) to (batch, channels, frames), compressed by log(|x| + 1)."""
        frames = waveform.unsqueeze(1)
        for layer in self.conv_layers:
            frames = layer(frames)
        return torch.log(frames.abs() + 1)


class FeatureAggregator(nn.Module):
    """Causal convolutions with residual connections from latent frames to context."""

    def __init__(self, width: int, kernels: Sequence[int], residual_scale: float) -> None:
        super().__init__()
        self.conv_layers = nn.ModuleList(
            nn.Sequential(
                nn.ReplicationPad1d((kernel - 1, 0)),
                nn.Conv1d(width, width, kernel),
                nn.Identity(),
                nn.GroupNorm(1, width),
                nn.ReLU(),
            )
            for kernel in kernels
        )
        self._scale = residual_scale**0.5

    def forward(self, frames: Tensor) -> Tensor:
        """Map (batch, width, frames) to the same shape."""
        for layer in self.conv_layers:
            frames = (layer(frames) + frames) * self._scale
        return frames


class Wav2vec(nn.Module):
    """Gives latent frames z and their context c.

    Args:
        extractor: the layers of the feature extractor.
        kernels: a kernel a layer of the aggregator, whose width is that of the extractor's end.
        residual_scale: the square of what each residual sum is multiplied by.
    """

    def __init__(
        self,
        extractor: Sequence[ConvolutionLayer],
        kernels: Sequence[int],
        residual_scale: float = RESIDUAL_SCALE,
    ) -> None:
        super().__init__()
        self.feature_extractor = FeatureExtractor(extractor)
        self.feature_aggregator = FeatureAggregator(extractor[-1][0], kernels, residual_scale)
        self.hop = 1
        self.receptive_field = 1
        for _, kernel, stride in extractor:
            self.receptive_field += (kernel - 1) * self.hop
            self.hop *= stride

    def forward(self, waveform: Tensor) -> tuple[Tensor, Tensor]:
        """Map (batch, samples) to z and c, each (batch, frames, width).

        The group normalisation runs over all frames: utterances of different lengths must not
        share a batch. At least `receptive_field` samples are needed; a frame is `hop` samples.
        """
        latent = self.feature_extractor(waveform)
        context = self.feature_aggregator(latent)
        return latent.transpose(1, 2), context.transpose(1, 2)
