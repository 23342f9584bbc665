"""The weights of all edges out of a state, stacked."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor

from emonas.networks.fused_cells.convolutions import Kernel

FIRST_KERNELS = ((3, 1), (5, 1), (3, 2), (5, 2))
"""Taps and dilation of the first convolutions: of two separable operations, of two dilated ones."""

SECOND_KERNELS = (Kernel(3, 1, 1), Kernel(5, 1, 1))
"""Those behind them in the separable operations."""

SEPARABLE = len(SECOND_KERNELS)


class EdgeWeights(NamedTuple):
    """Of all edges out of a state.

    `mixing` (edges, operations + shared) are the alphas after softmax: those of the convolutions,
    then those of the pooled state and of `skip_connect`, which at stride 1 is the state itself, and
    at stride 2 two pointwise convolutions, side by side in `halves` (edges, channels, channels):
    the first channels // 2 of every second pixel, the others of those between. `first` and `second`
    are depthwise, (edges, channels, taps, taps) each; `first_map` (edges, 4, channels, channels)
    and `second_map` (edges, 2, channels, channels) are pointwise.
    """

    mixing: Tensor
    first_map: Tensor
    second_map: Tensor
    halves: Tensor | None
    first: tuple[Tensor, ...]
    second: tuple[Tensor, ...]
