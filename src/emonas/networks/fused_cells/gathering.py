"""Sums over the images of a batch, each image's beside the others', so that threads share none."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from emonas.networks.fused_cells import kernels
from emonas.networks.fused_cells.statistics import Moments

Array = npt.NDArray[Any]


class Gathered:
    """Sums, and sums of products, of every image of a batch."""

    def __init__(self, batch: int, size: tuple[int, int], channels: int) -> None:
        self._sums = np.zeros((batch, *size, channels))
        self._products = np.zeros((batch, *size, channels, channels))

    def add(self, place: tuple[int, int, int], image: Array) -> None:
        """Take in one image, (channels, time, features)."""
        kernels.sums(image, self._sums[place])
        kernels.products(image, image, self._products[place])

    def moments(self, pixels: int) -> Moments:
        """Over all images."""
        return Moments(summed(self._sums) / pixels, summed(self._products) / pixels)


def summed(parts: Array) -> Tensor:
    """Over the images of a batch."""
    return torch.from_numpy(parts).sum(dim=0)


def array_of(tensor: Tensor) -> Array:
    """What a compiled loop takes: in one piece, and without a history."""
    array: Array = tensor.detach().contiguous().numpy()
    return array
