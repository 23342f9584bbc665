"""From the gradients of what edges give to those of the state and the weights.

Three passes again: the gradients of the last maps; through the second convolutions; through the
first ones and the pools.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from emonas.networks.fused_cells import convolutions, layout, maps, pools, products
from emonas.networks.fused_cells.gathering import Array, array_of, summed
from emonas.networks.fused_cells.rooms import give_back, take_room
from emonas.networks.fused_cells.statistics import Moments, through_moments
from emonas.networks.fused_cells.there import There
from emonas.networks.fused_cells.weights import SECOND_KERNELS, SEPARABLE


def back(
    there: There, given: Sequence[Tensor], needed: Sequence[bool]
) -> tuple[Tensor | None, ...]:
    """The gradients of the state and of all weights; `needed` is autograd's word for which."""
    slopes = [array_of(each) for each in given]
    laid = there.laid(there.edges, there.batch)
    to_last = _last_slopes(there, slopes, laid)
    mixing, first_map, second_map, *others = there.folding.last_gradients(to_last)
    convolved, again, pooled = (Moments(*others[at : at + 2]) for at in (0, 2, 4))
    halves, parts = (others[6], others[7:]) if len(others) > 6 else (None, [])
    if not needed[1] and not any(needed[3:]):
        # The alphas alone learn, and nothing before them.
        give_back("laid", laid)
        return None, mixing.to(there.dtype), *(None for _ in needed[3:])
    # Those of all depthwise convolutions or of none.
    learns = any(needed[6:])
    before, to_between, second = _back_second(there, laid, again, learns=learns)
    more_map, *more = there.folding.between_gradients(to_between)
    convolved = Moments(*(one + other for one, other in zip(convolved, more, strict=True)))
    of_parts = Moments(*parts) if parts else None
    state, first = _back_first(there, laid, before, convolved, of_parts, learns=learns)
    _back_shared(there, slopes, pooled, state)
    give_back("laid", laid, *before)
    weights = (mixing, first_map + more_map, second_map, halves, *first, *second)
    return torch.from_numpy(state), *(
        each if each is None else each.to(there.dtype) for each in weights
    )


def _last_slopes(there: There, slopes: Sequence[Array], laid: Array) -> list[Tensor]:
    """The gradients of the last maps: matrices, offsets, scales, and those of halves; and `laid`
    slopes.
    """
    last, shared, square = there.last(), there.shared, (there.channels, there.channels)
    matrices = np.zeros((there.edges, len(last), there.batch, *square))
    offsets = np.zeros((there.edges, there.batch, there.channels))
    scales = np.zeros((there.edges, len(shared), there.batch, there.channels))
    skips = [
        np.zeros((there.edges, there.batch, half.rows.stop - half.rows.start, there.channels))
        for half in there.halves
    ]

    def work(some: slice) -> None:
        for edge, slope in enumerate(slopes):
            given = laid[edge, some]
            layout.lay(slope[some], given)
            for number, part in enumerate(last):
                products.add_products(given, 0, part[edge, some], matrices[edge, number, some])
            products.add_sums(given, offsets[edge, some])
            for number, part in enumerate(shared):
                products.add_channel_products(slope[some], part[some], scales[edge, number, some])
            for half, skip in zip(there.halves, skips, strict=True):
                image = there.dealt[half.part, some]
                products.add_products(given, half.rows.start, image, skip[edge, some])

    there.for_images(work)
    found = [summed(matrices, 2), summed(offsets, 1), summed(scales, 2)]
    if skips:
        found.append(torch.cat([summed(each, 1) for each in skips], dim=1))
    return found


def _back_second(
    there: There, given: Array, to_moments: Moments, *, learns: bool
) -> tuple[list[Array], list[Tensor], list[Tensor]]:
    """Through the second convolutions: the gradients behind the map between, those of that
    map, and those of the convolutions' weights.
    """
    between, back = there.folding.between, there.array(there.folding.matrices.mT)
    matrices, offsets = map(there.array, between)
    more, constant = map(there.array, through_moments(to_moments, there.pixels))
    before = [there.laid(there.edges, there.batch) for _ in SECOND_KERNELS]
    to_matrices, to_offsets = (
        np.zeros((*part.shape[:2], there.batch, *part.shape[2:])) for part in between
    )
    to_weights = [by_image(part, there.batch) for part in there.second]

    def work(some: slice) -> None:
        mapped, slope = (there.laid(some.stop - some.start) for _ in range(2))
        for number, kernel in enumerate(SECOND_KERNELS):
            correlate, gather = (
                convolutions.make_correlate(kernel),
                convolutions.make_gather(kernel),
            )
            for edge in range(there.edges):
                at = edge, number
                source, last = there.found[number][edge, some], there.again[number][edge, some]
                there.rectified_map(source, matrices[at], offsets[at], mapped)
                behind, offset = given[edge, some], constant[at]
                there.add_pair(behind, back[at], last, more[at], offset, slope, True)
                if learns:
                    correlate(mapped[None], 0, slope, to_weights[number][edge, some])
                result = before[number][edge, some]
                result[:] = 0
                gather(slope, there.second[number][edge], result[None])
                layout.keep_positive(result, mapped)
                products.add_products(result, 0, source, to_matrices[edge, number, some])
                products.add_sums(result, to_offsets[edge, number, some])
        give_back("laid", mapped, slope)

    there.for_images(work)
    parts = [summed(part, 2) for part in (to_matrices, to_offsets)]
    return before, parts, [summed(part, 1) for part in to_weights]


def _back_first(
    there: There,
    given: Array,
    before: Sequence[Array],
    to_moments: Moments,
    to_parts: Moments | None,
    *,
    learns: bool,
) -> tuple[Array, list[Tensor]]:
    """Through the first convolutions: the gradients of the state, and those of the convolutions'
    weights.
    """
    more, constant = map(there.array, through_moments(to_moments, there.pixels))
    between = there.array(there.folding.between.matrices.mT)
    last = there.array(there.folding.matrices.mT)
    backs = [between[:, 0], between[:, 1], last[:, SEPARABLE], last[:, SEPARABLE + 1]]
    behind = [*before, given, given]
    to_state = np.zeros_like(there.state)
    to_weights = [by_image(part, there.batch) for part in there.first]

    def work(some: slice) -> None:
        count, start = some.stop - some.start, some.start
        slope = there.laid(count)
        gathered = take_room("gathered", (there.stride**2, *slope.shape), slope.dtype)
        gathered[:] = 0
        for number, kernel in enumerate(there.kernels):
            correlate, gather = (
                convolutions.make_correlate(kernel),
                convolutions.make_gather(kernel),
            )
            dealt = there.dealt[: kernel.stride**2]
            for edge in range(there.edges):
                at = edge, number
                there.add_pair(
                    behind[number][edge, some],
                    backs[number][edge],
                    there.found[number][edge, some],
                    more[at],
                    constant[at],
                    slope,
                    True,
                )
                if learns:
                    correlate(dealt, start, slope, to_weights[number][edge, some])
                gather(slope, there.first[number][edge], gathered[: kernel.stride**2])
        if to_parts is not None:
            _back_halves(there, given, to_parts, some, gathered)
        layout.add_gathered(gathered, there.state[some], to_state[some], there.stride)
        give_back("laid", slope)
        give_back("gathered", gathered)

    there.for_images(work)
    return to_state, [summed(part, 1) for part in to_weights]


def _back_halves(
    there: There, given: Array, to_parts: Moments, some: slice, gathered: Array
) -> None:
    """Add to the slopes of dealt images what comes through the halves of `skip_connect`."""
    more, constant = map(there.array, through_moments(to_parts, there.pixels))
    for number, half in enumerate(there.halves):
        result, first = gathered[half.part], half.rows.start
        offset = constant[number]
        result += offset[:, None, None]
        there.add_map(there.dealt[half.part, some], 0, more[number], offset, result, 0, maps.ADDED)
        skips = there.array(there.folding.skips[:, half.rows].mT)
        inputs = skips.shape[2]
        for edge in range(there.edges if inputs else 0):
            add_map = maps.make_map(inputs)
            add_map(given[edge, some], first, skips[edge], offset, result, 0, maps.ADDED)


def _back_shared(
    there: There, slopes: Sequence[Array], to_pooled: Moments, to_state: Array
) -> None:
    """Add what comes through the pools, and through the state as it is."""
    scales = there.array(there.folding.scales)
    # Of a mean over pixels each has an equal part.
    to_mean, to_square = (there.array(part / there.pixels) for part in to_pooled)

    def work(some: slice) -> None:
        size = (some.stop - some.start, *slopes[0].shape[1:])
        slope = take_room("pooled", size, to_state.dtype)
        for number, pooled in enumerate(there.pooled):
            slope[:] = to_mean[number][:, None, None]
            products.add_scaled(pooled[some], 2 * to_square[number], slope)
            for edge, given in enumerate(slopes):
                products.add_scaled(given[some], scales[edge, number], slope)
            if number == 0:
                images = there.state[some], pooled[some]
                pools.max_pool_back(*images, slope, to_state[some], there.stride)
            else:
                pools.mean_pool_back(slope, to_state[some], there.stride)
        if len(there.shared) > len(there.pooled):
            for edge, given in enumerate(slopes):
                products.add_scaled(given[some], scales[edge, -1], to_state[some])
        give_back("pooled", slope)

    there.for_images(work)


def by_image(weights: Array, batch: int) -> Array:
    """Room for the gradients of every edge's weights, image by image."""
    return np.zeros((len(weights), batch, *weights.shape[1:]))
