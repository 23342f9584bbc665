"""What a cell makes of its inputs: ReLU, a pointwise convolution, batch norm, as one map.

Of an input at half the size the map has two halves (`FactorizedReduce`): some outputs of every
second pixel, the others of those between.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from emonas.networks.fused_cells import layout, maps, products
from emonas.networks.fused_cells.gathering import Array, Gathered, array_of, summed
from emonas.networks.fused_cells.layout import laid_size
from emonas.networks.fused_cells.rooms import GONE, give_back, take_room
from emonas.networks.fused_cells.statistics import Moments, leaf, normalised, through_moments
from emonas.networks.fused_cells.threads import for_images


class Half(NamedTuple):
    """A part of the dealt input, and the outputs that are made of it."""

    part: int
    rows: slice


def halves(outputs: int) -> list[Half]:
    """Those of stride 2."""
    even = outputs // 2
    return [Half(0, slice(0, even)), Half(3, slice(even, outputs))]


def preprocess(image: Tensor, layers: nn.Sequential) -> Tensor:
    """By the statistics of the batch.

    Args:
        image: (batch, inputs, time, features).
        layers: ReLU and `FactorizedReduce`, or ReLU, a pointwise convolution, and a batch norm.

    Returns:
        (batch, outputs, ...).
    """
    weights = [weight[..., 0, 0] for weight in layers.parameters()]
    # At half the size there are two convolutions.
    stride = len(weights)
    together = torch.cat(weights)
    one = _Map(stride, image.contiguous(), together)
    made: Tensor = _Preprocess.apply(one, image, together)  # type: ignore[no-untyped-call]
    if not torch.is_grad_enabled():
        one.give_back()
    return made


class _Preprocess(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, one: _Map, *learning: Tensor) -> Tensor:
        """`learning` is what has a gradient, which the map has read."""
        ctx.map = one
        return one.forward()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, given: Tensor) -> tuple[Tensor | None, ...]:
        one, ctx.map = ctx.map, None
        if one is None:
            raise RuntimeError(GONE)
        return None, *one.back(array_of(given), *ctx.needs_input_grad[1:])


class _Map:
    def __init__(self, stride: int, image: Tensor, weights: Tensor) -> None:
        self._stride, self._image, self._weights = stride, image.detach().numpy(), leaf(weights)
        self._batch, self._inputs, rows, columns = image.shape
        self._size = (-(-rows // stride), -(-columns // stride))
        self._pixels = self._batch * self._size[0] * self._size[1]
        self._outputs = len(weights)
        one = [Half(0, slice(0, self._outputs))]
        self._halves = one if stride == 1 else halves(self._outputs)

    def forward(self) -> Tensor:
        self._dealt = self._laid(self._stride**2, self._batch, self._inputs)
        gathered = Gathered((len(self._halves),), self._batch, self._inputs)

        def deal(some: slice) -> None:
            layout.deal(self._image[some], self._dealt, some.start, self._stride)
            for number, half in enumerate(self._halves):
                gathered.add((number, some), self._dealt[half.part, some])

        self._for_images(deal)
        self._moments = Moments(*map(leaf, gathered.moments(self._pixels)))
        with torch.enable_grad():
            self._affine = [
                normalised(self._weights[half.rows], Moments(*of))
                for half, of in zip(self._halves, zip(*self._moments, strict=True), strict=True)
            ]
        matrices, offsets = self._arrays()
        result = np.empty((self._batch, self._outputs, *self._size), self._image.dtype)
        add_map = maps.make_map(self._inputs)

        def work(some: slice) -> None:
            laid = self._laid(some.stop - some.start, self._outputs)
            for half, matrix, offset in zip(self._halves, matrices, offsets, strict=True):
                images, first = self._dealt[half.part, some], half.rows.start
                add_map(images, 0, matrix, offset, laid, first, maps.FRESH)
            layout.lift(laid, result[some])
            give_back("laid", laid)

        self._for_images(work)
        return torch.from_numpy(result)

    def back(self, given: Array, to_image: bool, to_weights: bool) -> tuple[Tensor | None, ...]:
        """The gradients of image and weights, where they are asked for."""
        rows = [half.rows.stop - half.rows.start for half in self._halves]
        sums = np.zeros((self._batch, self._outputs))
        crossed = [np.zeros((self._batch, outputs, self._inputs)) for outputs in rows]
        laid = self._laid(self._batch, self._outputs)

        def work(some: slice) -> None:
            layout.lay(given[some], laid[some])
            products.add_sums(laid[some], sums[some])
            for half, result in zip(self._halves, crossed, strict=True):
                images = self._dealt[half.part, some]
                products.add_products(laid[some], half.rows.start, images, result[some])

        self._for_images(work)
        slopes: list[Tensor] = []
        for half, result in zip(self._halves, crossed, strict=True):
            slopes += [summed(result, 0), summed(sums[:, half.rows], 0)]
        affine = [part for each in self._affine for part in each]
        weights, *moments = torch.autograd.grad(affine, [self._weights, *self._moments], slopes)
        image = self._to_image(laid, Moments(*moments)) if to_image else None
        give_back("laid", laid)
        self.give_back()
        dtype = torch.from_numpy(self._image).dtype
        return image, weights.to(dtype) if to_weights else None

    def give_back(self) -> None:
        """What was kept for the way back is not needed any more."""
        give_back("laid", self._dealt)

    def _to_image(self, laid: Array, to_moments: Moments) -> Tensor:
        more, constant = (
            array_of(part.to(torch.from_numpy(self._image).dtype))
            for part in through_moments(to_moments, self._pixels)
        )
        matrices, _ = self._arrays()
        result = np.zeros_like(self._image)
        own = maps.make_map(self._inputs)

        def work(some: slice) -> None:
            size = (self._stride**2, some.stop - some.start, self._inputs, *laid_size(*self._size))
            gathered = take_room("gathered", size, self._image.dtype)
            # The parts of a dealt image that no half is made of.
            gathered[1:3] = 0
            for number, half in enumerate(self._halves):
                images, slopes = self._dealt[half.part, some], gathered[half.part]
                offset, matrix = constant[number], np.ascontiguousarray(matrices[number].T)
                own(images, 0, more[number], offset, slopes, 0, maps.FRESH)
                if matrix.size:
                    back = maps.make_map(matrix.shape[1])
                    back(laid[some], half.rows.start, matrix, offset, slopes, 0, maps.ADDED)
            layout.add_gathered(gathered, self._image[some], result[some], self._stride)
            give_back("gathered", gathered)

        self._for_images(work)
        return torch.from_numpy(result)

    def _arrays(self) -> tuple[list[Array], list[Array]]:
        dtype = torch.from_numpy(self._image).dtype
        return (
            [array_of(each.matrices.to(dtype)) for each in self._affine],
            [array_of(each.offsets.to(dtype)) for each in self._affine],
        )

    def _laid(self, *count: int) -> Array:
        return take_room("laid", (*count, *laid_size(*self._size)), self._image.dtype)

    def _for_images(self, work: Any) -> None:
        image = self._inputs * self._size[0] * self._size[1] * self._image.itemsize
        for_images(work, self._batch, image)
