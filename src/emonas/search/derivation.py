"""From alphas to the operations that are kept."""

from typing import Literal

from torch import Tensor

from emonas.networks.cell_operations import OPERATIONS
from emonas.networks.cell_skeleton import cell_edges
from emonas.storage.genotype import Edge

EdgeChoice = Literal["two-strongest", "all"]


def derive(alphas: Tensor, nodes: int, edges: EdgeChoice = "two-strongest") -> tuple[Edge, ...]:
    """The edges of a cell that are kept, each with its strongest operation other than `none`.

    Of equals the first wins.

    Args:
        alphas: theta of EmotionNAS v1, eq. 1, (edges, operations).
        nodes: nodes of the cell.
        edges: `all`, or the two edges into each node whose kept operation is strongest (DARTS,
            2.4), by the softmax over all operations, `none` among them.
    """
    weights = alphas.detach().double().softmax(dim=1).tolist()
    candidates: list[list[tuple[float, Edge]]] = [[] for _ in range(nodes)]
    for (node, source), row in zip(cell_edges(nodes), weights, strict=True):
        named = zip(row, OPERATIONS, strict=True)
        strengths = {name: weight for weight, name in named if name != "none"}
        # max and sorted keep the first of equals.
        strongest = max(strengths, key=lambda name: strengths[name])
        edge = Edge(node=node, source=source, operation=strongest)
        candidates[node].append((strengths[strongest], edge))
    count = None if edges == "all" else 2
    kept: list[Edge] = []
    for found in candidates:
        best = sorted(found, key=lambda pair: -pair[0])[:count]
        kept += sorted((edge for _, edge in best), key=lambda edge: edge.source)
    return tuple(kept)
