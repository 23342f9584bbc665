"""Batch norm, without weights, from the moments of what comes before it."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

EPSILON = 1e-5
"""What torch's batch norm adds to a variance."""


class Moments(NamedTuple):
    """Means over batch and pixels: of images, `mean` (..., channels), and of their products,
    `square` (..., channels, channels); of images whose channels are normalised one by one, `square`
    is (..., channels).
    """

    mean: Tensor
    square: Tensor


class Affine(NamedTuple):
    """A pointwise map: `matrices` (..., outputs, channels), `offsets` (..., outputs)."""

    matrices: Tensor
    offsets: Tensor


def normalised(weights: Tensor, moments: Moments) -> Affine:
    """A pointwise convolution W (..., outputs, channels) and the batch norm behind it as one map:
    mean(W d) = W mean(d), and the mean of (W d)^2 is diag(W square(d) W^T).
    """
    mean = (weights @ moments.mean[..., None])[..., 0]
    square = ((weights @ moments.square) * weights).sum(dim=-1)
    scale = ((square - mean**2).clamp_min(0) + EPSILON).rsqrt()
    return Affine(scale[..., None] * weights, -scale * mean)


def standardised(moments: Moments) -> tuple[Tensor, Tensor]:
    """Scales and offsets (..., channels) of a batch norm without a convolution before it."""
    scale = ((moments.square - moments.mean**2).clamp_min(0) + EPSILON).rsqrt()
    return scale, -scale * moments.mean


def through_moments(to_moments: Moments, count: int) -> Affine:
    """What the gradient of moments over `count` pixels adds to that of a pixel, as a map of it."""
    square = to_moments.square
    return Affine((square + square.mT) / count, to_moments.mean / count)


def leaf(values: Tensor) -> Tensor:
    """In double precision, where a graph of small tensors begins."""
    return values.detach().to(torch.float64).requires_grad_()
