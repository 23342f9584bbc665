"""The network of the operations that a search kept (EmotionNAS v1, figure 2c)."""

from collections.abc import Sequence
from functools import reduce

import torch
from torch import Tensor, nn

from emonas.networks.cell_operations import make_operation
from emonas.networks.cell_skeleton import (
    CellShape,
    edge_stride,
    make_preprocess,
    make_stem,
    plan_cells,
    stem_image,
)
from emonas.networks.streams import Output, Stream
from emonas.storage.genotype import CellsGenotype, Edge


class DerivedCell(nn.Module):
    """A cell of the kept edges; its output is its nodes side by side."""

    def __init__(self, shape: CellShape, edges: Sequence[Edge], nodes: int) -> None:
        super().__init__()
        self.older, self.last = make_preprocess(shape, affine=True)
        self._edges = tuple(edges)
        self._nodes = nodes
        self.operations = nn.ModuleList(
            make_operation(
                edge.operation, shape.channels, edge_stride(shape.reduction, edge.source)
            )
            for edge in edges
        )

    def forward(self, older: Tensor, last: Tensor) -> Tensor:
        """Outputs of the two cells before to the output of this one."""
        states = [self.older(older), self.last(last)]
        for node in range(self._nodes):
            results = [
                operation(states[edge.source])
                for edge, operation in zip(self._edges, self.operations, strict=True)
                if edge.node == node
            ]
            states.append(reduce(torch.add, results))
        return torch.cat(states[2:], dim=1)


class DerivedNetwork(nn.Module):
    """Stem, cells of a genotype, mean pooling, classifier; as wide and deep as was searched."""

    def __init__(self, genotype: CellsGenotype, classes: int, dropout: float = 0.0) -> None:
        super().__init__()
        shapes = plan_cells(genotype.channels, genotype.cells, genotype.nodes)
        self.stem = make_stem(genotype.channels)
        self.cells = nn.ModuleList(
            DerivedCell(
                shape, genotype.reduction if shape.reduction else genotype.normal, genotype.nodes
            )
            for shape in shapes
        )
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(genotype.nodes * shapes[-1].channels, classes)

    def forward(self, stream: Stream) -> Output:
        """One stream to logits and the pooled image; the mean runs over padding too, where there
        is any.
        """
        older = last = stem_image(self.stem, stream)
        for cell in self.cells:
            older, last = last, cell(older, last)
        embedding = last.mean(dim=(2, 3))
        return Output(self.classifier(self.dropout(embedding)), embedding)
