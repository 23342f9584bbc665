"""What comes before the blocks of WeNet's Conformer: fewer frames, and the sinusoids of time."""

import math

import torch
from torch import Tensor, nn

CONVOLUTIONS: dict[str, tuple[tuple[int, int], ...]] = {
    "linear": (),
    "conv2d": ((3, 2), (3, 2)),
    "conv2d6": ((3, 2), (5, 3)),
    "conv2d8": ((3, 2), (3, 2), (3, 2)),
}
"""Kernel and stride of each convolution, over time and bands alike."""


class Subsampling(nn.Module):
    """Strided convolutions over time and bands, then a linear layer over all that a frame has."""

    def __init__(self, kind: str, bands: int, width: int) -> None:
        super().__init__()
        self._convolutions = CONVOLUTIONS[kind]
        layers: list[nn.Module] = []
        channels = 1
        for kernel, stride in self._convolutions:
            layers += [nn.Conv2d(channels, width, kernel, stride), nn.ReLU()]
            channels, bands = width, (bands - kernel) // stride + 1
        self.conv = nn.Sequential(*layers)
        linear = nn.Linear(channels * bands, width)
        # The releases name it so: `out.0` for some kinds, `linear` for others.
        self._name = "out" if kind in ("linear", "conv2d") else "linear"
        if kind == "linear":
            self.out = nn.Sequential(linear, nn.LayerNorm(width))
        elif kind == "conv2d":
            self.out = nn.Sequential(linear)
        else:
            self.linear = linear

    def forward(self, frames: Tensor) -> Tensor:
        """Map (batch, time, bands) to (batch, fewer times, width)."""
        image = self.conv(frames[:, None])
        embedded: Tensor = self.get_submodule(self._name)(image.transpose(1, 2).flatten(2))
        return embedded

    def lengths(self, lengths: Tensor) -> Tensor:
        """Frames that are left of each utterance: those that see none of the padding."""
        for kernel, stride in self._convolutions:
            lengths = torch.div(lengths - kernel, stride, rounding_mode="floor") + 1
        return lengths.clamp(min=0)


def sinusoids(times: Tensor, width: int) -> Tensor:
    """Give (time, width): sines and cosines in turn, of 2 pi to 20000 pi frames a wave."""
    exponents = torch.arange(0, width, 2, dtype=torch.float32, device=times.device)
    angles = times.float()[:, None] * torch.exp(exponents * -(math.log(10000.0) / width))
    return torch.stack([angles.sin(), angles.cos()], dim=2).flatten(1)
