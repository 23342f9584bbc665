"""Sums over the images of a batch, each image's beside the others', so that threads share none."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from emonas.networks.fused_cells import products
from emonas.networks.fused_cells.statistics import Moments

Array = npt.NDArray[Any]


class Gathered:
    """Sums, and sums of products, of every image of a batch."""

    def __init__(self, size: tuple[int, ...], batch: int, channels: int) -> None:
        self._sums = np.zeros((*size, batch, channels))
        self._products = np.zeros((*size, batch, channels, channels))

    def add(self, place: tuple[int | slice, ...], laid: Array) -> None:
        """Take in some images."""
        products.add_squares(laid, self._sums[place], self._products[place])

    def moments(self, pixels: int) -> Moments:
        """Over all images."""
        sums, products = self._sums, self._products
        return Moments(summed(sums, -2) / pixels, summed(products, -3) / pixels)


def summed(parts: Array, axis: int) -> Tensor:
    """Over the images of a batch."""
    return torch.from_numpy(parts).sum(dim=axis)


def array_of(tensor: Tensor) -> Array:
    """What a compiled loop takes: in one piece, and without a history."""
    array: Array = tensor.detach().contiguous().numpy()
    return array
