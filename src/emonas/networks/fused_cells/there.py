"""From a state to what its edges give, in three passes over the images of a batch."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from emonas.networks.fused_cells import convolutions, layout, maps, pools, products
from emonas.networks.fused_cells.convolutions import Kernel
from emonas.networks.fused_cells.folding import Folding
from emonas.networks.fused_cells.gathering import Array, Gathered, array_of
from emonas.networks.fused_cells.layout import laid_size
from emonas.networks.fused_cells.preprocessing import halves
from emonas.networks.fused_cells.rooms import give_back, take_room
from emonas.networks.fused_cells.statistics import Moments
from emonas.networks.fused_cells.threads import for_images
from emonas.networks.fused_cells.weights import (
    FIRST_KERNELS,
    SECOND_KERNELS,
    SEPARABLE,
    EdgeWeights,
)


class There:
    """The passes over the images of a batch, and what is kept for the way back.

    Of each kernel the convolved images of all edges are kept, laid, (edges, batch, channels, ...).
    """

    def __init__(self, stride: int, state: Tensor, weights: EdgeWeights) -> None:
        self.stride = stride
        self.kernels = [Kernel(*kernel, stride).simplest for kernel in FIRST_KERNELS]
        self.dtype = state.dtype
        self.state = state.detach().numpy()
        self.first = [array_of(part) for part in weights.first]
        self.second = [array_of(part) for part in weights.second]
        self.folding = Folding(weights)
        self.batch, self.channels, rows, columns = state.shape
        self.edges = len(weights.mixing)
        self.size = (-(-rows // stride), -(-columns // stride))
        self.pixels = self.batch * self.size[0] * self.size[1]
        self.add_map = maps.make_map(self.channels)
        self.add_pair = maps.make_pair(self.channels)
        self.halves = halves(self.channels) if stride > 1 else []

    def forward(self) -> tuple[Tensor, ...]:
        """What each edge gives."""
        self.dealt = self.laid(self.stride**2, self.batch)
        self.found = [self.laid(self.edges, self.batch) for _ in self.kernels]
        self.pooled = [take_room("pooled", self._given(), self.state.dtype) for _ in range(2)]
        # The state itself is shared too where an edge can leave it as it is.
        self.shared = [*self.pooled, *([self.state] if self.stride == 1 else [])]
        self.again = [self.laid(self.edges, self.batch) for _ in SECOND_KERNELS]
        self.folding.set_first(*self._convolve_first())
        self.folding.set_second(self._convolve_second())
        return self._mixed()

    def _convolve_first(self) -> tuple[Moments, Moments, Moments | None]:
        gathered = Gathered((self.edges, len(self.kernels)), self.batch, self.channels)
        parts = Gathered((2,), self.batch, self.channels)
        sums = np.zeros((2, len(self.pooled), self.batch, self.channels))

        def work(some: slice) -> None:
            state, start = self.state[some], some.start
            layout.deal(state, self.dealt, start, self.stride)
            for number, kernel in enumerate(self.kernels):
                convolve = convolutions.make_convolve(kernel)
                dealt = self.dealt[: kernel.stride**2]
                for edge in range(self.edges):
                    result = self.found[number][edge, some]
                    convolve(dealt, start, self.first[number][edge], result)
                    gathered.add((edge, number, some), result)
            for number, half in enumerate(self.halves):
                parts.add((number, some), self.dealt[half.part, some])
            for number, pool in enumerate((pools.max_pool, pools.mean_pool)):
                pooled = self.pooled[number][some]
                pool(state, pooled, self.stride)
                products.add_sums(pooled, sums[0, number, some])
                products.add_channel_products(pooled, pooled, sums[1, number, some])

        self.for_images(work)
        mean, square = torch.from_numpy(sums).sum(dim=2) / self.pixels
        of_parts = parts.moments(self.pixels) if self.halves else None
        return gathered.moments(self.pixels), Moments(mean, square), of_parts

    def _convolve_second(self) -> Moments:
        gathered = Gathered((self.edges, SEPARABLE), self.batch, self.channels)
        matrices, offsets = (self.array(part) for part in self.folding.between)

        def work(some: slice) -> None:
            mapped = self.laid(some.stop - some.start)
            for number, kernel in enumerate(SECOND_KERNELS):
                convolve = convolutions.make_convolve(kernel)
                for edge in range(self.edges):
                    at = edge, number
                    self.rectified_map(
                        self.found[number][edge, some], matrices[at], offsets[at], mapped
                    )
                    result = self.again[number][edge, some]
                    convolve(mapped[None], 0, self.second[number][edge], result)
                    gathered.add((edge, number, some), result)
            give_back("laid", mapped)

        self.for_images(work)
        return gathered.moments(self.pixels)

    def rectified_map(self, images: Array, matrix: Array, offset: Array, mapped: Array) -> None:
        """The positive part of matrix @ images + offset."""
        self.add_map(images, 0, matrix, offset, mapped, 0, maps.POSITIVE)

    def last(self) -> list[Array]:
        """The last images of every operation."""
        return [*self.again, *self.found[SEPARABLE:]]

    def _mixed(self) -> tuple[Tensor, ...]:
        small = self.folding
        matrices, offsets, scales = map(self.array, (small.matrices, small.offsets, small.scales))
        skips = [self.array(small.skips[:, half.rows]) for half in self.halves]
        # Numpy asks the system for large pages, which torch does not.
        results = [np.empty(self._given(), self.state.dtype) for _ in range(self.edges)]
        last = self.last()

        def work(some: slice) -> None:
            size = (some.stop - some.start, self.channels, *laid_size(*self.size))
            # Not a room of zeros between rows: products with what is no number leave it there.
            laid = take_room("gathered", size, self.state.dtype)
            for edge, result in enumerate(results):
                one, two, three, four = (part[edge, some] for part in last)
                each, offset = matrices[edge], offsets[edge]
                self.add_pair(one, each[0], two, each[1], offset, laid, True)
                self.add_pair(three, each[2], four, each[3], offset, laid, False)
                for half, skip in zip(self.halves, skips, strict=True):
                    image = self.dealt[half.part, some]
                    self.add_map(image, 0, skip[edge], offset, laid, half.rows.start, maps.ADDED)
                layout.lift(laid, result[some])
                for number, shared in enumerate(self.shared):
                    products.add_scaled(shared[some], scales[edge, number], result[some])
            give_back("gathered", laid)

        self.for_images(work)
        return tuple(map(torch.from_numpy, results))

    def _given(self) -> tuple[int, ...]:
        """The size of what an edge gives."""
        return self.batch, self.channels, *self.size

    def laid(self, *count: int) -> Array:
        """Room for images that are laid, `count` by channels."""
        return take_room("laid", (*count, self.channels, *laid_size(*self.size)), self.state.dtype)

    def give_back(self) -> None:
        """What was kept for the way back is not needed any more."""
        give_back("laid", self.dealt, *self.found, *self.again)
        give_back("pooled", *self.pooled)

    def for_images(self, work: Callable[[slice], None]) -> None:
        """Call `work` with some images at a time."""
        image = self.channels * self.size[0] * self.size[1] * self.state.itemsize
        for_images(work, self.batch, image)

    def array(self, small: Tensor) -> Array:
        """A small tensor in the precision of the images."""
        return array_of(small.to(self.dtype))
