"""What a state gives to every node that it has an edge to."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from emonas.networks.cell_operations import OPERATIONS
from emonas.networks.fused_cells.edges import state_edges
from emonas.networks.fused_cells.weights import EdgeWeights
from emonas.storage.genotype import CellOperation

_SEPARABLE: tuple[CellOperation, ...] = ("sep_conv_3x3", "sep_conv_5x5")
_CONVOLUTIONS: tuple[CellOperation, ...] = (*_SEPARABLE, "dil_conv_3x3", "dil_conv_5x5")
_POOLS: tuple[CellOperation, ...] = ("max_pool_3x3", "avg_pool_3x3")


def mixed_edges(
    state: Tensor, stride: int, edges: Sequence[nn.Module], weights: Tensor
) -> list[Tensor]:
    """All operations of each edge, weighted and added (EmotionNAS v1, eq. 2), by the statistics of
    the batch.

    Args:
        state: (batch, channels, time, features).
        stride: of the edges.
        edges: each with its `operations` that have weights, as `MixedEdge` names them.
        weights: (edges, operations).

    Returns:
        What each edge gives, (batch, channels, ...).
    """
    skipped = "skip_connect"
    shared = [*_POOLS, skipped] if stride == 1 else _POOLS
    mixed = state_edges(
        state,
        EdgeWeights(
            weights[:, [OPERATIONS.index(name) for name in (*_CONVOLUTIONS, *shared)]],
            _pointwise(edges, _CONVOLUTIONS, 1),
            _pointwise(edges, _SEPARABLE, 5),
            tuple(_depthwise(edges, name, 0) for name in _CONVOLUTIONS),
            tuple(_depthwise(edges, name, 4) for name in _SEPARABLE),
        ),
        stride,
    )
    if stride == 1:
        return list(mixed)
    rectified = state.relu()
    shares = weights[:, OPERATIONS.index(skipped)]
    return [
        image + share * edge.get_submodule(f"operations.{skipped}")(rectified)
        for image, share, edge in zip(mixed, shares, edges, strict=True)
    ]


def _depthwise(edges: Sequence[nn.Module], name: str, place: int) -> Tensor:
    """Weights of every edge, (edges, channels, taps, taps)."""
    return torch.stack([_weight(edge, name, place)[:, 0] for edge in edges])


def _pointwise(edges: Sequence[nn.Module], names: Sequence[str], place: int) -> Tensor:
    """Weights of every edge and name, (edges, names, outputs, channels)."""
    each = [
        torch.stack([_weight(edge, name, place)[..., 0, 0] for edge in edges]) for name in names
    ]
    return torch.stack(each, dim=1)


def _weight(edge: nn.Module, name: str, place: int) -> Tensor:
    """Of one convolution of an operation."""
    return edge.get_parameter(f"operations.{name}.{place}.weight")
