"""DARTS' search network as it is published: module by module, one operation after the other.

It is the reference of the tests, and the other side of the benchmark; planes lie one after the
other in memory (NCHW).
"""

from itertools import count

import torch
from torch import Tensor, nn

from emonas.networks.cell_operations import OPERATIONS, FactorizedReduce
from emonas.networks.cell_skeleton import (
    CellShape,
    cell_edges,
    edge_stride,
    make_preprocess,
    make_stem,
    plan_cells,
)
from emonas.networks.search_cells import SearchNetwork
from emonas.networks.streams import Output, Stream


class Zero(nn.Module):
    """The operation `none`."""

    def __init__(self, stride: int) -> None:
        super().__init__()
        self.stride = stride

    def forward(self, image: Tensor) -> Tensor:
        """Zero times every pixel that the stride keeps."""
        return image[:, :, :: self.stride, :: self.stride].mul(0.0)


def depthwise_pointwise(channels: int, taps: int, stride: int, dilation: int) -> list[nn.Module]:
    """A depthwise convolution, a pointwise one, batch norm."""
    padding = dilation * (taps // 2)
    return [
        nn.Conv2d(channels, channels, taps, stride, padding, dilation, groups=channels, bias=False),
        nn.Conv2d(channels, channels, 1, bias=False),
        nn.BatchNorm2d(channels, affine=False),
    ]


def operation(name: str, channels: int, stride: int) -> nn.Module:
    """One operation, with its own ReLU in front and its own batch norm behind."""
    norm = nn.BatchNorm2d(channels, affine=False)
    taps, dilation = int(name[-1]) if name[-1].isdigit() else 0, 2
    if name == "none":
        return Zero(stride)
    if name == "max_pool_3x3":
        return nn.Sequential(nn.MaxPool2d(3, stride, 1), norm)
    if name == "avg_pool_3x3":
        return nn.Sequential(nn.AvgPool2d(3, stride, 1, count_include_pad=False), norm)
    if name == "skip_connect" and stride == 1:
        return nn.Identity()
    if name == "skip_connect":
        return nn.Sequential(nn.ReLU(), FactorizedReduce(channels, channels, affine=False))
    if name.startswith("dil"):
        layers = depthwise_pointwise(channels, taps, stride, dilation)
    else:
        layers = [
            *depthwise_pointwise(channels, taps, stride, 1),
            nn.ReLU(),
            *depthwise_pointwise(channels, taps, 1, 1),
        ]
    return nn.Sequential(nn.ReLU(), nn.Sequential(*layers))


class PlainEdge(nn.Module):
    """All operations of an edge."""

    def __init__(self, channels: int, stride: int) -> None:
        super().__init__()
        self.operations = nn.ModuleDict(
            {name: operation(name, channels, stride) for name in OPERATIONS}
        )

    def forward(self, state: Tensor, weights: Tensor) -> Tensor:
        """The sum of all, weighted (EmotionNAS v1, eq. 2)."""
        pairs = zip(weights, self.operations.values(), strict=True)
        total: Tensor = sum(weight * each(state) for weight, each in pairs)
        return total


class PlainCell(nn.Module):
    """A cell with all edges."""

    def __init__(self, shape: CellShape, nodes: int) -> None:
        super().__init__()
        self.reduction, self.nodes = shape.reduction, nodes
        self.older, self.last = make_preprocess(shape, affine=False)
        self.edges = nn.ModuleList(
            PlainEdge(shape.channels, edge_stride(shape.reduction, source))
            for _, source in cell_edges(nodes)
        )

    def forward(self, older: Tensor, last: Tensor, weights: Tensor) -> Tensor:
        """Outputs of the two cells before, and `weights` (edges, operations)."""
        states, number = [self.older(older), self.last(last)], count()
        for _ in range(self.nodes):
            rows = [(next(number), state) for state in states]
            states.append(sum(self.edges[row](state, weights[row]) for row, state in rows))
        return torch.cat(states[2:], dim=1)


class PlainSearchNetwork(nn.Module):
    """The same weights, the same numbers as `SearchNetwork`."""

    def __init__(self, channels: int, cells: int, classes: int, nodes: int = 4) -> None:
        super().__init__()
        shapes = plan_cells(channels, cells, nodes)
        self.nodes = nodes
        self.stem = make_stem(channels)
        self.cells = nn.ModuleList(PlainCell(shape, nodes) for shape in shapes)
        self.classifier = nn.Linear(nodes * shapes[-1].channels, classes)
        size = (len(cell_edges(nodes)), len(OPERATIONS))
        self.alphas_normal = nn.Parameter(1e-3 * torch.randn(size))
        self.alphas_reduction = nn.Parameter(1e-3 * torch.randn(size))

    def alphas(self) -> list[nn.Parameter]:
        """The architecture's parameters."""
        return [self.alphas_normal, self.alphas_reduction]

    def weights(self) -> list[nn.Parameter]:
        """All other parameters."""
        return [value for name, value in self.named_parameters() if "alphas" not in name]

    @torch.no_grad()
    def take_weights(self, network: SearchNetwork) -> None:
        """Take those of ours, which has no ReLU in its operations."""
        own = dict(self.named_parameters())
        for name, value in network.named_parameters():
            own[plain_name(name)].copy_(value)

    def forward(self, stream: Stream) -> Output:
        """One stream of fixed length to logits and the pooled image."""
        normal, reduction = self.alphas_normal.softmax(dim=1), self.alphas_reduction.softmax(dim=1)
        older = last = self.stem(stream.frames[:, None])
        for cell in self.cells:
            older, last = last, cell(older, last, reduction if cell.reduction else normal)
        embedding = last.mean(dim=(2, 3))
        return Output(self.classifier(embedding), embedding)


def plain_name(name: str) -> str:
    """What a parameter of ours is called here."""
    parts = name.split(".")
    if "operations" in parts:
        parts.insert(parts.index("operations") + 2, "1")
    return ".".join(parts)
