"""The network that DARTS searches: every edge mixes all operations (EmotionNAS v1, eq. 1, 2)."""

from collections.abc import Iterable, Iterator
from functools import reduce
from typing import NamedTuple

import torch
from torch import Tensor, nn

from emonas.networks.cell_operations import OPERATIONS, make_convolution, make_pool
from emonas.networks.cell_skeleton import (
    CellShape,
    cell_edges,
    edge_stride,
    make_preprocess,
    make_stem,
    plan_cells,
    stem_image,
)
from emonas.networks.streams import Output, Stream
from emonas.storage.genotype import CellOperation

_POOLS: tuple[CellOperation, ...] = ("max_pool_3x3", "avg_pool_3x3")
_ALPHA_SCALE = 1e-3


class SourceImages(NamedTuple):
    """What all edges out of one state share: the results of operations without weights, by name,
    and the state behind a ReLU.
    """

    results: dict[str, Tensor]
    rectified: Tensor


class Source(nn.Module):
    """Computes once a state what would be the same on every edge out of it."""

    def __init__(self, channels: int, stride: int) -> None:
        super().__init__()
        self._stride = stride
        self.pools = nn.ModuleDict(
            {
                name: nn.Sequential(make_pool(name, stride), nn.BatchNorm2d(channels, affine=False))
                for name in _POOLS
            }
        )

    def forward(self, state: Tensor) -> SourceImages:
        """Pool and rectify; at stride 1 `skip_connect` is the state itself."""
        results = {name: pool(state) for name, pool in self.pools.items()}
        if self._stride == 1:
            results["skip_connect"] = state
        return SourceImages(results, nn.functional.relu(state))


class MixedEdge(nn.Module):
    """All operations of one edge, weighted and added (eq. 2); `none` adds nothing."""

    def __init__(self, channels: int, stride: int) -> None:
        super().__init__()
        shared = (*_POOLS, "skip_connect") if stride == 1 else _POOLS
        self.operations = nn.ModuleDict(
            {
                name: make_convolution(name, channels, stride, affine=False)
                for name in OPERATIONS
                if name != "none" and name not in shared
            }
        )

    def forward(self, source: SourceImages, weights: Tensor) -> Tensor:
        """Mix with `weights` (operations)."""
        results = dict(source.results)
        for name, operation in self.operations.items():
            results[name] = operation(source.rectified)
        return _add(
            weight * results[name]
            for name, weight in zip(OPERATIONS, weights.unbind(), strict=True)
            if name != "none"
        )


class SearchCell(nn.Module):
    """A cell with all edges; its output is its nodes side by side.

    Where it learns on a processor by the batch's own statistics, `fused` computes the edges out of
    a state together; see `fused_cells`.
    """

    def __init__(self, shape: CellShape, nodes: int, *, fused: bool = False) -> None:
        super().__init__()
        self.reduction = shape.reduction
        self._nodes = nodes
        self._fused = fused
        self.older, self.last = make_preprocess(shape, affine=False)
        self._strides = [edge_stride(shape.reduction, source) for source in range(nodes + 1)]
        self.sources = nn.ModuleList(Source(shape.channels, stride) for stride in self._strides)
        self.edges = nn.ModuleList(
            MixedEdge(shape.channels, self._strides[source]) for _, source in cell_edges(nodes)
        )

    def forward(self, older: Tensor, last: Tensor, weights: Tensor) -> Tensor:
        """Outputs of the two cells before, and `weights` (edges, operations)."""
        states = [self._preprocessed(older, self.older), self._preprocessed(last, self.last)]
        given: list[list[Tensor]] = [[] for _ in range(self._nodes)]
        for source in range(self._nodes + 1):
            for node, image in self._given(source, states[source], weights):
                given[node].append(image)
            if source > 0:
                # The last of the states that this node has an edge from.
                states.append(_add(given[source - 1]))
        return torch.cat(states[2:], dim=1)

    def _preprocessed(self, image: Tensor, layers: nn.Sequential) -> Tensor:
        if self._fused and learns_by_batch(self, image):
            from emonas.networks.fused_cells.preprocessing import preprocess

            return preprocess(image, layers)
        state: Tensor = layers(image)
        return state

    def _given(self, source: int, state: Tensor, weights: Tensor) -> Iterator[tuple[int, Tensor]]:
        """What a state gives to each node that it has an edge to."""
        numbers = [n for n, (_, start) in enumerate(cell_edges(self._nodes)) if start == source]
        nodes = [cell_edges(self._nodes)[number][0] for number in numbers]
        if self._fused and learns_by_batch(self, state):
            from emonas.networks.fused_cells.source import mixed_edges

            edges = [self.edges[number] for number in numbers]
            given = mixed_edges(state, self._strides[source], edges, weights[numbers])
        else:
            images = self.sources[source](state)
            given = [self.edges[number](images, weights[number]) for number in numbers]
        return zip(nodes, given, strict=True)


class SearchNetwork(nn.Module):
    """Stem, cells, mean pooling, classifier; `alphas_normal` and `alphas_reduction` (edges,
    operations) are theta of eq. 1.

    Batch norms inside the cells have no weights (DARTS' code).
    """

    def __init__(
        self, channels: int, cells: int, classes: int, nodes: int = 4, *, fused: bool = False
    ) -> None:
        super().__init__()
        shapes = plan_cells(channels, cells, nodes)
        self.nodes = nodes
        self.fused = fused
        self.stem = make_stem(channels)
        self.cells = nn.ModuleList(SearchCell(shape, nodes, fused=fused) for shape in shapes)
        self.classifier = nn.Linear(nodes * shapes[-1].channels, classes)
        size = (len(cell_edges(nodes)), len(OPERATIONS))
        self.alphas_normal = nn.Parameter(_ALPHA_SCALE * torch.randn(size))
        self.alphas_reduction = nn.Parameter(_ALPHA_SCALE * torch.randn(size))

    def alphas(self) -> list[nn.Parameter]:
        """The architecture's parameters."""
        return [self.alphas_normal, self.alphas_reduction]

    def weights(self) -> list[nn.Parameter]:
        """All other parameters."""
        alphas = {id(parameter) for parameter in self.alphas()}
        return [parameter for parameter in self.parameters() if id(parameter) not in alphas]

    def forward(self, stream: Stream) -> Output:
        """One stream of fixed length to logits and the pooled image."""
        normal, reduction = self.alphas_normal.softmax(dim=1), self.alphas_reduction.softmax(dim=1)
        planes = self.fused and learns_by_batch(self, stream.frames)
        if planes:
            from emonas.networks.fused_cells.rooms import forget_other_rooms

            forget_other_rooms(stream.frames.shape)
        older = last = stem_image(self.stem, stream, planes=planes)
        for cell in self.cells:
            older, last = last, cell(older, last, reduction if cell.reduction else normal)
        embedding = last.mean(dim=(2, 3))
        return Output(self.classifier(embedding), embedding)


def learns_by_batch(network: nn.Module, image: Tensor) -> bool:
    """Whether it learns on a processor, by the statistics of a batch that are not kept."""
    if not network.training or image.device.type != "cpu" or torch.is_autocast_enabled("cpu"):
        return False
    norms = (norm for norm in network.modules() if isinstance(norm, nn.BatchNorm2d))
    return not next(norms).track_running_stats


def _add(images: Iterable[Tensor]) -> Tensor:
    return reduce(torch.add, images)
