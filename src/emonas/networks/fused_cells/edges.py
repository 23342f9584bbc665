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
from emonas.networks.fused_cells.rooms import GONE
from emonas.networks.fused_cells.there import There
from emonas.networks.fused_cells.weights import EdgeWeights


def state_edges(state: Tensor, weights: EdgeWeights, stride: int) -> tuple[Tensor, ...]:
    """What each edge gives, (batch, channels, ...), from the state (batch, channels, time,
    features).
    """
    there = There(stride, state.contiguous(), weights)
    parts = (weights.mixing, weights.first_map, weights.second_map, weights.halves)
    given: tuple[Tensor, ...] = _StateEdges.apply(  # type: ignore[no-untyped-call]
        there, state, *parts, *weights.first, *weights.second
    )
    if not torch.is_grad_enabled():
        there.give_back()
    return given


class _StateEdges(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, there: There, *learning: Tensor | None) -> tuple[Tensor, ...]:
        """`learning` is what has a gradient, which `there` has read."""
        ctx.there = there
        return there.forward()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *given: Tensor) -> tuple[Tensor | None, ...]:
        if ctx.there is None:
            raise RuntimeError(GONE)
        # So that the memory is free again as soon as the gradients are there.
        there, ctx.there = ctx.there, None
        gradients = back(there, given, ctx.needs_input_grad)
        there.give_back()
        return None, *gradients
