"""From the gradients of what edges give to those of the state and the weights.

Three passes again: the gradients of the last maps; through the second convolutions; through the
first ones and the pools.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from emonas.networks.fused_cells import kernels
from emonas.networks.fused_cells.gathering import Array, array_of, summed
from emonas.networks.fused_cells.kernels import Kernel
from emonas.networks.fused_cells.statistics import Moments, through_moments
from emonas.networks.fused_cells.there import There
from emonas.networks.fused_cells.threads import for_images
from emonas.networks.fused_cells.weights import SECOND_KERNELS, SEPARABLE


def back(
    there: There, given: Sequence[Tensor], needed: Sequence[bool]
) -> tuple[Tensor | None, ...]:
    """The gradients of the state and of all weights; `needed` is autograd's word for which."""
    slopes = [array_of(each) for each in given]
    to_last = _last_slopes(there, slopes)
    mixing, first_map, second_map, *moments = there.folding.last_gradients(to_last)
    convolved, again, pooled = (Moments(*moments[at : at + 2]) for at in (0, 2, 4))
    if not needed[1] and not any(needed[3:]):
        # The alphas alone learn, and nothing before them.
        return None, mixing.to(there.dtype), *(None for _ in needed[3:])
    # Those of all depthwise convolutions or of none.
    learns = any(needed[5:])
    before, to_between, second = _back_second(there, slopes, again, learns=learns)
    more_map, *more = there.folding.between_gradients(to_between)
    convolved = Moments(*(one + other for one, other in zip(convolved, more, strict=True)))
    state, first = _back_first(there, slopes, before, convolved, pooled, learns=learns)
    weights = (mixing, first_map + more_map, second_map, *first, *second)
    return state, *(each.to(there.dtype) for each in weights)


def _last_slopes(there: There, slopes: Sequence[Array]) -> list[Tensor]:
    """The gradients of the last maps: matrices, offsets, scales."""
    matrices, offsets, scales = (
        np.zeros((there.batch, *each.shape))
        for each in (there.folding.matrices, there.folding.offsets, there.folding.scales)
    )
    last = there.last()

    def work(images: range) -> None:
        for image in images:
            for edge, slope in enumerate(slopes):
                for number, part in enumerate(last):
                    kernels.products(slope[image], part[image, edge], matrices[image, edge, number])
                kernels.sums(slope[image], offsets[image, edge])
                for number, shared in enumerate(there.shared):
                    kernels.channel_products(
                        slope[image], shared[image], scales[image, edge, number]
                    )

    for_images(work, there.batch)
    return [torch.from_numpy(each).sum(dim=0) for each in (matrices, offsets, scales)]


def _back_second(
    there: There, slopes: Sequence[Array], to_moments: Moments, *, learns: bool
) -> tuple[list[Array], list[Tensor], list[Tensor]]:
    """Through the second convolutions: the gradients behind the map between, those of that
    map, and those of the convolutions' weights.
    """
    between, back = there.folding.between, there.array(there.folding.matrices.mT)
    matrices, offsets = map(there.array, between)
    more, constant = map(there.array, through_moments(to_moments, there.pixels))
    before = [np.zeros_like(each) for each in there.again]
    to_matrices, to_offsets = (np.zeros((there.batch, *part.shape)) for part in between)
    to_weights = [np.zeros((there.batch, *part.shape)) for part in there.second]

    def work(images: range) -> None:
        padded, spread = there.padded(1), there.padded(1)
        slope = there.bordered()
        for image in images:
            for edge, given in enumerate(slopes):
                for number, kernel in enumerate(SECOND_KERNELS):
                    at = edge, number
                    source = there.found[number][image, edge]
                    there.map(source, matrices[at], offsets[at], padded)
                    there.slope(
                        given[image],
                        back[at],
                        there.again[number][image, edge],
                        more[at],
                        constant[at],
                        slope,
                    )
                    if learns:
                        weights = to_weights[number][image, edge]
                        kernels.correlate(padded, slope, weights, 1)
                    spread[:] = 0
                    kernels.make_gather(kernel)(slope, there.second[number][edge], spread)
                    result = before[number][image, edge]
                    kernels.add_unpadded(spread, padded, result, 1)
                    kernels.products(result, source, to_matrices[image, edge, number])
                    kernels.sums(result, to_offsets[image, edge, number])

    for_images(work, there.batch)
    parts = (to_matrices, to_offsets)
    return before, [summed(part) for part in parts], [summed(part) for part in to_weights]


def _back_first(
    there: There,
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
    more, constant = map(there.array, through_moments(to_moments, there.pixels))
    between = there.array(there.folding.between.matrices.mT)
    last = there.array(there.folding.matrices.mT)
    backs = [between[:, 0], between[:, 1], last[:, SEPARABLE], last[:, SEPARABLE + 1]]
    state = torch.zeros(there.state.shape, dtype=there.dtype)
    to_state = state.numpy()
    to_weights = [np.zeros((there.batch, *part.shape)) for part in there.first]

    def work(images: range) -> None:
        padded, spread = there.padded(there.stride), there.padded(there.stride)
        slope = there.bordered()
        for image in images:
            kernels.pad_rectified(there.state[image], padded, there.stride)
            spread[:] = 0
            for edge, given in enumerate(slopes):
                behind = [*(part[image, edge] for part in before), given[image], given[image]]
                for number, kernel in enumerate(there.kernels):
                    there.slope(
                        behind[number],
                        backs[number][edge],
                        there.found[number][image, edge],
                        more[edge, number],
                        constant[edge, number],
                        slope,
                    )
                    if learns:
                        weights = to_weights[number][image, edge]
                        _correlate(padded, slope, weights, kernel)
                    _spread(slope, there.first[number][edge], spread, kernel)
            kernels.add_unpadded(spread, padded, to_state[image], there.stride)

    for_images(work, there.batch)
    _back_shared(there, slopes, to_pooled, to_state)
    return state, [summed(part) for part in to_weights]


def _back_shared(
    there: There, slopes: Sequence[Array], to_pooled: Moments, to_state: Array
) -> None:
    """Add what comes through the pools, and through the state as it is."""
    scales = there.array(there.folding.scales)
    # Of a mean over pixels each has an equal part.
    to_mean, to_square = (there.array(part / there.pixels) for part in to_pooled)

    def work(images: range) -> None:
        slope = np.empty((there.channels, *there.size), to_state.dtype)
        for image in images:
            for number, pooled in enumerate(there.pooled):
                slope[:] = to_mean[number][:, None, None]
                kernels.add_scaled(pooled[image], 2 * to_square[number], slope)
                for edge, given in enumerate(slopes):
                    kernels.add_scaled(given[image], scales[edge, number], slope)
                if number == 0:
                    kernels.max_pool_back(
                        there.state[image], pooled[image], slope, to_state[image], there.stride
                    )
                else:
                    kernels.mean_pool_back(slope, to_state[image], there.stride)
            if len(there.shared) > len(there.pooled):
                for edge, given in enumerate(slopes):
                    kernels.add_scaled(given[image], scales[edge, -1], to_state[image])

    for_images(work, there.batch)


def _correlate(padded: Array, slope: Array, weights: Array, kernel: Kernel) -> None:
    if kernel.stride == 1:
        kernels.correlate(padded, slope, weights, kernel.dilation)
    else:
        kernels.correlate_strided(padded, slope, weights, *kernel[1:])


def _spread(slope: Array, weights: Array, spread: Array, kernel: Kernel) -> None:
    if kernel.stride == 1:
        kernels.make_gather(kernel)(slope, weights, spread)
    else:
        kernels.scatter(slope, weights, spread, *kernel[1:])
