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
_SKIP: CellOperation = "skip_connect"


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
    names = (*_CONVOLUTIONS, *_POOLS, _SKIP)
    mixing = weights[:, [OPERATIONS.index(name) for name in names]]
    parts = EdgeWeights(
        mixing,
        _pointwise(edges, _CONVOLUTIONS, 1),
        _pointwise(edges, _SEPARABLE, 5),
        None if stride == 1 else torch.stack([_halves(edge) for edge in edges]),
        tuple(_depthwise(edges, name, 0) for name in _CONVOLUTIONS),
        tuple(_depthwise(edges, name, 4) for name in _SEPARABLE),
    )
    return list(state_edges(state, parts, stride))


def _halves(edge: nn.Module) -> Tensor:
    """Both convolutions of a `FactorizedReduce`, (channels, channels)."""
    names = (f"operations.{_SKIP}.{half}.weight" for half in ("even", "odd"))
    return torch.cat([edge.get_parameter(name)[..., 0, 0] for name in names])


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
