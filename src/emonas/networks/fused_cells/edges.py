"""All edges out of one state, there and back.

There: each edge's first depthwise convolutions of the rectified state; behind them, for a separable
convolution, a map (pointwise convolution and batch norm), ReLU, the second depthwise convolution;
and one sum of maps of all results, and of the pooled state, weighed by the alphas. The maps need
the moments of what they map over the whole batch, hence three passes over the images.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from emonas.networks.fused_cells.back import back
from emonas.networks.fused_cells.there import There
from emonas.networks.fused_cells.weights import FIRST_KERNELS, EdgeWeights


def state_edges(state: Tensor, weights: EdgeWeights, stride: int) -> tuple[Tensor, ...]:
    """What each edge gives, (batch, channels, ...), from the state (batch, channels, time,
    features).
    """
    parts = (weights.mixing, weights.first_map, weights.second_map, weights.halves)
    given: tuple[Tensor, ...] = _StateEdges.apply(  # type: ignore[no-untyped-call]
        stride, state, *parts, *weights.first, *weights.second
    )
    return given


class _StateEdges(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        stride: int,
        state: Tensor,
        mixing: Tensor,
        first_map: Tensor,
        second_map: Tensor,
        halves: Tensor | None,
        *depthwise: Tensor,
    ) -> tuple[Tensor, ...]:
        first, second = depthwise[: len(FIRST_KERNELS)], depthwise[len(FIRST_KERNELS) :]
        parts = EdgeWeights(mixing, first_map, second_map, halves, tuple(first), tuple(second))
        ctx.there = there = There(stride, state.contiguous(), parts)
        return there.forward()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *given: Tensor) -> tuple[Tensor | None, ...]:
        if ctx.there is None:
            raise RuntimeError(
                "fused cells go back once: what the way back needs is freed by the first time; "
                "call them again, or use fused: false"
            )
        # So that the memory is free again as soon as the gradients are there.
        there, ctx.there = ctx.there, None
        gradients = back(there, given, ctx.needs_input_grad)
        there.give_back()
        return None, *gradients
