"""From a state to what its edges give, in three passes over the images of a batch."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from emonas.networks.fused_cells import kernels
from emonas.networks.fused_cells.folding import Folding
from emonas.networks.fused_cells.gathering import Array, Gathered, array_of
from emonas.networks.fused_cells.kernels import BORDER, Kernel
from emonas.networks.fused_cells.statistics import Moments
from emonas.networks.fused_cells.threads import for_images
from emonas.networks.fused_cells.weights import (
    FIRST_KERNELS,
    SECOND_KERNELS,
    SEPARABLE,
    EdgeWeights,
)


class There:
    """The passes over the images of a batch, and what is kept for the way back."""

    def __init__(self, stride: int, state: Tensor, weights: EdgeWeights) -> None:
        self.stride = stride
        self.kernels = [Kernel(*kernel, stride) for kernel in FIRST_KERNELS]
        self.dtype = state.dtype
        self.state = state.detach().numpy()
        self.first = [array_of(part) for part in weights.first]
        self.second = [array_of(part) for part in weights.second]
        self.folding = Folding(weights)
        self.batch, self.channels, rows, columns = state.shape
        self.edges = len(weights.mixing)
        self.size = (-(-rows // stride), -(-columns // stride))
        self.pixels = self.batch * self.size[0] * self.size[1]
        self.map = kernels.make_map(self.channels)
        self.slope = kernels.make_slope(self.channels)
        self._mix = kernels.make_mix(self.channels)

    def forward(self) -> tuple[Tensor, ...]:
        """What each edge gives."""
        each = (self.batch, self.edges, self.channels, *self.size)
        self.found = [self._images(each) for _ in self.kernels]
        self.pooled = [self._images((self.batch, *each[2:])) for _ in range(2)]
        # The state itself is shared too where an edge can leave it as it is.
        self.shared = [*self.pooled, *([self.state] if self.stride == 1 else [])]
        self.again = [self._images(each) for _ in SECOND_KERNELS]
        self.folding.set_first(*self._convolve_first())
        self.folding.set_second(self._convolve_second())
        return self._mixed()

    def _convolve_first(self) -> tuple[Moments, Moments]:
        gathered = Gathered(self.batch, (self.edges, len(self.kernels)), self.channels)
        pools = np.zeros((2, self.batch, len(self.pooled), self.channels))

        def work(images: range) -> None:
            padded = self.padded(self.stride)
            for image in images:
                kernels.pad_rectified(self.state[image], padded, self.stride)
                for edge in range(self.edges):
                    for number, kernel in enumerate(self.kernels):
                        result = self.found[number][image, edge]
                        kernels.make_convolve(kernel)(padded, self.first[number][edge], result)
                        gathered.add((image, edge, number), result)
                kernels.max_pool(self.state[image], self.pooled[0][image], self.stride)
                kernels.mean_pool(self.state[image], self.pooled[1][image], self.stride)
                for number, pooled in enumerate(self.pooled):
                    kernels.sums(pooled[image], pools[0, image, number])
                    kernels.channel_products(pooled[image], pooled[image], pools[1, image, number])

        for_images(work, self.batch)
        mean, square = torch.from_numpy(pools).sum(dim=1) / self.pixels
        return gathered.moments(self.pixels), Moments(mean, square)

    def _convolve_second(self) -> Moments:
        gathered = Gathered(self.batch, (self.edges, SEPARABLE), self.channels)
        matrices, offsets = (self.array(part) for part in self.folding.between)

        def work(images: range) -> None:
            padded = self.padded(1)
            for image in images:
                for edge in range(self.edges):
                    for number, kernel in enumerate(SECOND_KERNELS):
                        before = self.found[number][image, edge]
                        self.map(before, matrices[edge, number], offsets[edge, number], padded)
                        result = self.again[number][image, edge]
                        kernels.make_convolve(kernel)(padded, self.second[number][edge], result)
                        gathered.add((image, edge, number), result)

        for_images(work, self.batch)
        return gathered.moments(self.pixels)

    def last(self) -> list[Array]:
        """The last images of every operation, (batch, edges, channels, ...)."""
        return [*self.again, *self.found[SEPARABLE:]]

    def _mixed(self) -> tuple[Tensor, ...]:
        small = self.folding
        matrices, offsets, scales = map(self.array, (small.matrices, small.offsets, small.scales))
        size = (self.batch, self.channels, *self.size)
        mixed = [torch.empty(size, dtype=self.dtype) for _ in range(self.edges)]
        results = [each.numpy() for each in mixed]
        last = self.last()

        def work(images: range) -> None:
            for image in images:
                for edge, result in enumerate(results):
                    four = (part[image, edge] for part in last)
                    self._mix(*four, matrices[edge], offsets[edge], result[image])
                    for number, shared in enumerate(self.shared):
                        kernels.add_scaled(shared[image], scales[edge, number], result[image])

        for_images(work, self.batch)
        return tuple(mixed)

    def _images(self, size: tuple[int, ...]) -> Array:
        return torch.empty(size, dtype=self.dtype).numpy()

    def padded(self, stride: int) -> Array:
        """Room for a padded image: of the state at its stride, of later images at 1."""
        rows, columns = self.state.shape[2:] if stride == self.stride else self.size
        wide = -(-(columns + 2 * BORDER) // stride)
        return np.zeros((self.channels, stride, rows + 2 * BORDER, wide), self.state.dtype)

    def bordered(self) -> Array:
        """Room for a slope."""
        rows, columns = self.size
        size = (self.channels, rows + 2 * BORDER, columns + 2 * BORDER)
        return np.zeros(size, self.state.dtype)

    def array(self, small: Tensor) -> Array:
        """A small tensor in the precision of the images."""
        return array_of(small.to(self.dtype))
