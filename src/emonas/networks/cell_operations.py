"""The operations of DARTS' convolutional cells (EmotionNAS v1, 3.3; names as DARTS' code has them).

Images are (batch, channels, time, features); stride 2 gives (time + 1) // 2 by (features + 1) // 2.
"""

from typing import get_args

import torch
from torch import Tensor, nn

from emonas.storage.genotype import CellOperation

OPERATIONS: tuple[CellOperation, ...] = get_args(CellOperation)
"""All candidates, in the order of an edge's alphas."""

_SEPARABLE = {"sep_conv_3x3": 3, "sep_conv_5x5": 5}
_DILATED = {"dil_conv_3x3": 3, "dil_conv_5x5": 5}


class FactorizedReduce(nn.Module):
    """Halve an image by two 1x1 convolutions of stride 2, the second one pixel further.

    The stride is a slice before the convolution, because the backward pass of torch 2.13's 1x1
    convolution of stride 2 with channels last writes outside its memory on a CPU.
    """

    def __init__(self, inputs: int, outputs: int, affine: bool) -> None:
        super().__init__()
        self.even = nn.Conv2d(inputs, outputs // 2, 1, bias=False)
        self.odd = nn.Conv2d(inputs, outputs - outputs // 2, 1, bias=False)
        self.norm = nn.BatchNorm2d(outputs, affine=affine)

    def forward(self, image: Tensor) -> Tensor:
        """An odd side is continued by zeros, so that both halves have one size."""
        time, features = image.shape[2:]
        further = nn.functional.pad(image, (0, features % 2, 0, time % 2))[:, :, 1::2, 1::2]
        halves = [self.even(image[:, :, ::2, ::2]), self.odd(further)]
        reduced: Tensor = self.norm(torch.cat(halves, dim=1))
        return reduced


class NoConnection(nn.Module):
    """The operation `none`: zeros."""

    def __init__(self, stride: int) -> None:
        super().__init__()
        self._stride = stride

    def forward(self, image: Tensor) -> Tensor:
        """Zeros of the output's size."""
        return torch.zeros_like(image[:, :, :: self._stride, :: self._stride])


def make_operation(name: CellOperation, channels: int, stride: int) -> nn.Module:
    """An operation of a derived cell, which DARTS gives batch norms with weights, and its pools
    none.
    """
    if name == "none":
        return NoConnection(stride)
    if name in ("max_pool_3x3", "avg_pool_3x3"):
        return make_pool(name, stride)
    if name == "skip_connect" and stride == 1:
        return nn.Identity()
    return nn.Sequential(nn.ReLU(), make_convolution(name, channels, stride, affine=True))


def make_pool(name: CellOperation, stride: int) -> nn.Module:
    """Max or mean pooling; the border counts for neither."""
    if name == "max_pool_3x3":
        return nn.MaxPool2d(3, stride, 1)
    return nn.AvgPool2d(3, stride, 1, count_include_pad=False)


def make_convolution(name: CellOperation, channels: int, stride: int, *, affine: bool) -> nn.Module:
    """An operation with weights, without the ReLU that comes before it; `skip_connect` has weights
    at stride 2 only.
    """
    if name == "skip_connect":
        return FactorizedReduce(channels, channels, affine)
    if name in _SEPARABLE:
        kernel = _SEPARABLE[name]
        return nn.Sequential(
            *_depthwise_pointwise(channels, kernel, stride, 1, affine),
            nn.ReLU(),
            *_depthwise_pointwise(channels, kernel, 1, 1, affine),
        )
    return nn.Sequential(*_depthwise_pointwise(channels, _DILATED[name], stride, 2, affine))


def _depthwise_pointwise(
    channels: int, kernel: int, stride: int, dilation: int, affine: bool
) -> tuple[nn.Module, ...]:
    padding = dilation * (kernel // 2)
    return (
        nn.Conv2d(
            channels, channels, kernel, stride, padding, dilation, groups=channels, bias=False
        ),
        nn.Conv2d(channels, channels, 1, bias=False),
        nn.BatchNorm2d(channels, affine=affine),
    )
