"""All edges out of one state, there and back.

There: each edge's first depthwise convolutions of the rectified state; behind them, for a separable
convolution, a map (pointwise convolution and batch norm), ReLU, the second depthwise convolution;
and one sum of maps of all results, and of the pooled state, weighed by the alphas. The maps need
the moments of what they map over the whole batch, hence three passes over the images.

Back: the gradients of the last maps; through the second convolutions; through the first ones.
The small tensors between the passes are differentiated by autograd.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from emonas.networks.fused_cells import kernels
from emonas.networks.fused_cells.kernels import BORDER, Kernel
from emonas.networks.fused_cells.statistics import (
    Moments,
    leaf,
    normalised,
    standardised,
    through_moments,
)
from emonas.networks.fused_cells.threads import for_images

Array = npt.NDArray[Any]

SEPARABLE = 2
"""So many of the first convolutions have a second one behind them."""


class EdgeWeights(NamedTuple):
    """Of all edges out of a state.

    `mixing` (edges, operations + shared) are the alphas after softmax: those of the convolutions,
    then those of the pooled state and, at stride 1, of the state itself. `first` and `second` are
    depthwise, (edges, channels, taps, taps) each; `first_map` (edges, 4, channels, channels) and
    `second_map` (edges, 2, channels, channels) are pointwise.
    """

    mixing: Tensor
    first_map: Tensor
    second_map: Tensor
    first: tuple[Tensor, ...]
    second: tuple[Tensor, ...]


FIRST_KERNELS = ((3, 1), (5, 1), (3, 2), (5, 2))
"""Taps and dilation of the first convolutions: two separable ones, two dilated ones."""
SECOND_KERNELS = (Kernel(3, 1, 1), Kernel(5, 1, 1))


def state_edges(state: Tensor, weights: EdgeWeights, stride: int) -> tuple[Tensor, ...]:
    """What each edge gives, (batch, channels, ...), from the state (batch, channels, time,
    features); without `skip_connect` at stride 2.
    """
    parts = (weights.mixing, weights.first_map, weights.second_map)
    given: tuple[Tensor, ...] = _StateEdges.apply(  # type: ignore[no-untyped-call]
        stride, state, *parts, *weights.first, *weights.second
    )
    return given


class _StateEdges(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, stride: int, state: Tensor, *weights: Tensor) -> tuple[Tensor, ...]:
        mixing, first_map, second_map, *depthwise = weights
        first, second = depthwise[: len(FIRST_KERNELS)], depthwise[len(FIRST_KERNELS) :]
        parts = EdgeWeights(mixing, first_map, second_map, tuple(first), tuple(second))
        ctx.passes = passes = _Passes(stride, state.contiguous(), parts)
        ctx.save_for_backward(state, *weights)
        return passes.forward()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *given: Tensor) -> tuple[Tensor | None, ...]:
        # So that the memory is free again as soon as the gradients are there.
        passes, ctx.passes = ctx.passes, None
        return None, *passes.backward(given, ctx.needs_input_grad)


class _Small:
    """Tensors without pixels, with the graph that leads from moments and weights to maps."""

    def __init__(self, weights: EdgeWeights) -> None:
        self.mixing, self.first_map = leaf(weights.mixing), leaf(weights.first_map)
        self.second_map = leaf(weights.second_map)

    @torch.enable_grad()
    def set_first(self, convolved: Moments, pooled: Moments) -> None:
        """Take in the moments behind the first convolutions, (edges, 4, ...), and of the pooled
        state, (pools, ...).
        """
        self.convolved, self.pooled = Moments(*map(leaf, convolved)), Moments(*map(leaf, pooled))
        between = Moments(*(part[:, :SEPARABLE] for part in self.convolved))
        self.between = normalised(self.first_map[:, :SEPARABLE], between)

    @torch.enable_grad()
    def set_second(self, again: Moments) -> None:
        """Take in the moments behind the second convolutions, (edges, 2, ...)."""
        self.again = Moments(*map(leaf, again))
        dilated = Moments(*(part[:, SEPARABLE:] for part in self.convolved))
        maps = [
            normalised(self.second_map, self.again),
            normalised(self.first_map[:, SEPARABLE:], dilated),
        ]
        operations = len(FIRST_KERNELS)
        own, shares = self.mixing[:, :operations], self.mixing[:, operations:]
        scale, offset = standardised(self.pooled)
        pools = len(scale)
        self.matrices = torch.cat([each.matrices for each in maps], 1) * own[..., None, None]
        offsets = (torch.cat([each.offsets for each in maps], 1) * own[..., None]).sum(dim=1)
        self.offsets = offsets + shares[:, :pools] @ offset
        scaled = shares[:, :pools, None] * scale
        self.scales = torch.cat([scaled, shares[:, pools:, None].expand(-1, -1, scale.shape[1])], 1)

    def last_gradients(self, to_last: Sequence[Tensor]) -> list[Tensor]:
        """From those of `matrices`, `offsets`, `scales` to those of the three weights and of all
        moments.
        """
        leaves = [self.mixing, self.first_map, self.second_map]
        leaves += [*self.convolved, *self.again, *self.pooled]
        last = [self.matrices, self.offsets, self.scales]
        return list(torch.autograd.grad(last, leaves, list(to_last), retain_graph=True))

    def between_gradients(self, to_between: Sequence[Tensor]) -> list[Tensor]:
        """From those of the map between two convolutions to those of `first_map` and of the
        moments before it.
        """
        leaves = [self.first_map, *self.convolved]
        return list(torch.autograd.grad(list(self.between), leaves, list(to_between)))


class _Passes:
    """The images of a batch, and the passes over them."""

    def __init__(self, stride: int, state: Tensor, weights: EdgeWeights) -> None:
        self._stride = stride
        self._kernels = [Kernel(*kernel, stride) for kernel in FIRST_KERNELS]
        self._dtype = state.dtype
        self._state = state.detach().numpy()
        self._first = [_array(part) for part in weights.first]
        self._second = [_array(part) for part in weights.second]
        self._small = _Small(weights)
        self._batch, self._channels, rows, columns = state.shape
        self._edges = len(weights.mixing)
        self._size = (-(-rows // stride), -(-columns // stride))
        self._pixels = self._batch * self._size[0] * self._size[1]
        self._map = kernels.make_map(self._channels)
        self._slope = kernels.make_slope(self._channels)
        self._mix = kernels.make_mix(self._channels)

    def forward(self) -> tuple[Tensor, ...]:
        """What each edge gives."""
        each = (self._batch, self._edges, self._channels, *self._size)
        self._found = [self._images(each) for _ in self._kernels]
        self._pooled = [self._images((self._batch, *each[2:])) for _ in range(2)]
        # The state itself is shared too where an edge can leave it as it is.
        self._shared = [*self._pooled, *([self._state] if self._stride == 1 else [])]
        self._again = [self._images(each) for _ in SECOND_KERNELS]
        self._small.set_first(*self._convolve_first())
        self._small.set_second(self._convolve_second())
        return self._mixed()

    def _convolve_first(self) -> tuple[Moments, Moments]:
        gathered = _Gathered(self._batch, (self._edges, len(self._kernels)), self._channels)
        pools = np.zeros((2, self._batch, len(self._pooled), self._channels))

        def work(images: range) -> None:
            padded = self._padded(self._stride)
            for image in images:
                kernels.pad_rectified(self._state[image], padded, self._stride)
                for edge in range(self._edges):
                    for number, kernel in enumerate(self._kernels):
                        result = self._found[number][image, edge]
                        kernels.make_convolve(kernel)(padded, self._first[number][edge], result)
                        gathered.add((image, edge, number), result)
                kernels.max_pool(self._state[image], self._pooled[0][image], self._stride)
                kernels.mean_pool(self._state[image], self._pooled[1][image], self._stride)
                for number, pooled in enumerate(self._pooled):
                    kernels.sums(pooled[image], pools[0, image, number])
                    kernels.channel_products(pooled[image], pooled[image], pools[1, image, number])

        for_images(work, self._batch)
        mean, square = torch.from_numpy(pools).sum(dim=1) / self._pixels
        return gathered.moments(self._pixels), Moments(mean, square)

    def _convolve_second(self) -> Moments:
        gathered = _Gathered(self._batch, (self._edges, SEPARABLE), self._channels)
        matrices, offsets = (self._array(part) for part in self._small.between)

        def work(images: range) -> None:
            padded = self._padded(1)
            for image in images:
                for edge in range(self._edges):
                    for number, kernel in enumerate(SECOND_KERNELS):
                        before = self._found[number][image, edge]
                        self._map(before, matrices[edge, number], offsets[edge, number], padded)
                        result = self._again[number][image, edge]
                        kernels.make_convolve(kernel)(padded, self._second[number][edge], result)
                        gathered.add((image, edge, number), result)

        for_images(work, self._batch)
        return gathered.moments(self._pixels)

    def _last(self) -> list[Array]:
        """The last images of every operation, (batch, edges, channels, ...)."""
        return [*self._again, *self._found[SEPARABLE:]]

    def _mixed(self) -> tuple[Tensor, ...]:
        small = self._small
        matrices, offsets, scales = map(self._array, (small.matrices, small.offsets, small.scales))
        size = (self._batch, self._channels, *self._size)
        mixed = [torch.empty(size, dtype=self._dtype) for _ in range(self._edges)]
        results = [each.numpy() for each in mixed]
        last = self._last()

        def work(images: range) -> None:
            for image in images:
                for edge, result in enumerate(results):
                    four = (part[image, edge] for part in last)
                    self._mix(*four, matrices[edge], offsets[edge], result[image])
                    for number, shared in enumerate(self._shared):
                        kernels.add_scaled(shared[image], scales[edge, number], result[image])

        for_images(work, self._batch)
        return tuple(mixed)

    def backward(
        self, given: Sequence[Tensor], needed: Sequence[bool]
    ) -> tuple[Tensor | None, ...]:
        """The gradients of the state and of all weights; `needed` is autograd's word for which."""
        slopes = [_array(each) for each in given]
        to_last = self._last_slopes(slopes)
        mixing, first_map, second_map, *moments = self._small.last_gradients(to_last)
        convolved, again, pooled = (Moments(*moments[at : at + 2]) for at in (0, 2, 4))
        learns = needed[-1]
        before, to_between, second = self._back_second(slopes, again, learns=learns)
        more_map, *more = self._small.between_gradients(to_between)
        convolved = Moments(*(one + other for one, other in zip(convolved, more, strict=True)))
        state, first = self._back_first(slopes, before, convolved, pooled, learns=learns)
        weights = (mixing, first_map + more_map, second_map, *first, *second)
        return state, *(each.to(self._dtype) for each in weights)

    def _last_slopes(self, slopes: Sequence[Array]) -> list[Tensor]:
        """The gradients of the last maps: matrices, offsets, scales."""
        matrices, offsets, scales = (
            np.zeros((self._batch, *each.shape))
            for each in (self._small.matrices, self._small.offsets, self._small.scales)
        )
        last = self._last()

        def work(images: range) -> None:
            for image in images:
                for edge, slope in enumerate(slopes):
                    for number, part in enumerate(last):
                        kernels.products(
                            slope[image], part[image, edge], matrices[image, edge, number]
                        )
                    kernels.sums(slope[image], offsets[image, edge])
                    for number, shared in enumerate(self._shared):
                        kernels.channel_products(
                            slope[image], shared[image], scales[image, edge, number]
                        )

        for_images(work, self._batch)
        return [torch.from_numpy(each).sum(dim=0) for each in (matrices, offsets, scales)]

    def _back_second(
        self, slopes: Sequence[Array], to_moments: Moments, *, learns: bool
    ) -> tuple[list[Array], list[Tensor], list[Tensor]]:
        """Through the second convolutions: the gradients behind the map between, those of that
        map, and those of the convolutions' weights.
        """
        between, back = self._small.between, self._array(self._small.matrices.mT)
        matrices, offsets = map(self._array, between)
        more, constant = map(self._array, through_moments(to_moments, self._pixels))
        before = [np.zeros_like(each) for each in self._again]
        to_matrices, to_offsets = (np.zeros((self._batch, *part.shape)) for part in between)
        to_weights = [np.zeros((self._batch, *part.shape)) for part in self._second]

        def work(images: range) -> None:
            padded, spread = self._padded(1), self._padded(1)
            slope = self._bordered()
            for image in images:
                for edge, given in enumerate(slopes):
                    for number, kernel in enumerate(SECOND_KERNELS):
                        at = edge, number
                        source = self._found[number][image, edge]
                        self._map(source, matrices[at], offsets[at], padded)
                        self._slope(
                            given[image],
                            back[at],
                            self._again[number][image, edge],
                            more[at],
                            constant[at],
                            slope,
                        )
                        if learns:
                            weights = to_weights[number][image, edge]
                            kernels.correlate(padded, slope, weights, 1)
                        spread[:] = 0
                        kernels.make_gather(kernel)(slope, self._second[number][edge], spread)
                        result = before[number][image, edge]
                        kernels.add_unpadded(spread, padded, result, 1)
                        kernels.products(result, source, to_matrices[image, edge, number])
                        kernels.sums(result, to_offsets[image, edge, number])

        for_images(work, self._batch)
        parts = (to_matrices, to_offsets)
        return before, [_summed(part) for part in parts], [_summed(part) for part in to_weights]

    def _back_first(
        self,
        slopes: Sequence[Array],
        before: Sequence[Array],
        to_moments: Moments,
        to_pooled: Moments,
        *,
        learns: bool,
    ) -> tuple[Tensor, list[Tensor]]:
        """Through the first convolutions and the pools: the gradients of the state, and those of
        the convolutions' weights.
        """
        more, constant = map(self._array, through_moments(to_moments, self._pixels))
        between = self._array(self._small.between.matrices.mT)
        last = self._array(self._small.matrices.mT)
        backs = [between[:, 0], between[:, 1], last[:, SEPARABLE], last[:, SEPARABLE + 1]]
        state = torch.zeros(self._state.shape, dtype=self._dtype)
        to_state = state.numpy()
        to_weights = [np.zeros((self._batch, *part.shape)) for part in self._first]

        def work(images: range) -> None:
            padded, spread = self._padded(self._stride), self._padded(self._stride)
            slope = self._bordered()
            for image in images:
                kernels.pad_rectified(self._state[image], padded, self._stride)
                spread[:] = 0
                for edge, given in enumerate(slopes):
                    behind = [*(part[image, edge] for part in before), given[image], given[image]]
                    for number, kernel in enumerate(self._kernels):
                        self._slope(
                            behind[number],
                            backs[number][edge],
                            self._found[number][image, edge],
                            more[edge, number],
                            constant[edge, number],
                            slope,
                        )
                        if learns:
                            weights = to_weights[number][image, edge]
                            self._correlate(padded, slope, weights, kernel)
                        self._spread(slope, self._first[number][edge], spread, kernel)
                kernels.add_unpadded(spread, padded, to_state[image], self._stride)

        for_images(work, self._batch)
        self._back_shared(slopes, to_pooled, to_state)
        return state, [_summed(part) for part in to_weights]

    def _back_shared(self, slopes: Sequence[Array], to_pooled: Moments, to_state: Array) -> None:
        """Add what comes through the pools, and through the state as it is."""
        scales = self._array(self._small.scales)
        # Of a mean over pixels each has an equal part.
        to_mean, to_square = (self._array(part / self._pixels) for part in to_pooled)

        def work(images: range) -> None:
            slope = np.empty((self._channels, *self._size), to_state.dtype)
            for image in images:
                for number, pooled in enumerate(self._pooled):
                    slope[:] = to_mean[number][:, None, None]
                    kernels.add_scaled(pooled[image], 2 * to_square[number], slope)
                    for edge, given in enumerate(slopes):
                        kernels.add_scaled(given[image], scales[edge, number], slope)
                    if number == 0:
                        kernels.max_pool_back(
                            self._state[image], pooled[image], slope, to_state[image], self._stride
                        )
                    else:
                        kernels.mean_pool_back(slope, to_state[image], self._stride)
                if len(self._shared) > len(self._pooled):
                    for edge, given in enumerate(slopes):
                        kernels.add_scaled(given[image], scales[edge, -1], to_state[image])

        for_images(work, self._batch)

    def _correlate(self, padded: Array, slope: Array, weights: Array, kernel: Kernel) -> None:
        if kernel.stride == 1:
            kernels.correlate(padded, slope, weights, kernel.dilation)
        else:
            kernels.correlate_strided(padded, slope, weights, *kernel[1:])

    def _spread(self, slope: Array, weights: Array, spread: Array, kernel: Kernel) -> None:
        if kernel.stride == 1:
            kernels.make_gather(kernel)(slope, weights, spread)
        else:
            kernels.scatter(slope, weights, spread, *kernel[1:])

    def _images(self, size: tuple[int, ...]) -> Array:
        return torch.empty(size, dtype=self._dtype).numpy()

    def _padded(self, stride: int) -> Array:
        """Room for a padded image: of the state at its stride, of later images at 1."""
        rows, columns = self._state.shape[2:] if stride == self._stride else self._size
        wide = -(-(columns + 2 * BORDER) // stride)
        return np.zeros((self._channels, stride, rows + 2 * BORDER, wide), self._state.dtype)

    def _bordered(self) -> Array:
        rows, columns = self._size
        size = (self._channels, rows + 2 * BORDER, columns + 2 * BORDER)
        return np.zeros(size, self._state.dtype)

    def _array(self, small: Tensor) -> Array:
        return _array(small.to(self._dtype))


class _Gathered:
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
        return Moments(_summed(self._sums) / pixels, _summed(self._products) / pixels)


def _summed(parts: Array) -> Tensor:
    """Over the images of a batch."""
    return torch.from_numpy(parts).sum(dim=0)


def _array(tensor: Tensor) -> Array:
    array: Array = tensor.detach().contiguous().numpy()
    return array
