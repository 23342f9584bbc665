"""Convolutional cells made by hand, in the space that DARTS searches (ours)."""

from collections.abc import Callable, Mapping

from emonas.storage.genotype import CellOperation, CellsGenotype, Edge

Maker = Callable[[int], tuple[Edge, ...]]
"""From the number of nodes to the edges of a cell."""


def _chain(before: CellOperation, earlier: CellOperation) -> Maker:
    """Each node takes the state just before it, and the one before that."""

    def edges(nodes: int) -> tuple[Edge, ...]:
        return tuple(
            Edge(node=node, source=source, operation=operation)
            for node in range(nodes)
            for source, operation in ((node, earlier), (node + 1, before))
        )

    return edges


_BRANCHES: tuple[CellOperation, ...] = (
    "sep_conv_3x3",
    "sep_conv_5x5",
    "dil_conv_3x3",
    "max_pool_3x3",
)


def _side_by_side(nodes: int) -> tuple[Edge, ...]:
    """Each node takes the outputs of the two cells before by an operation of its own."""
    return tuple(
        Edge(node=node, source=source, operation=_BRANCHES[node % len(_BRANCHES)])
        for node in range(nodes)
        for source in (0, 1)
    )


NAMED_CELLS: Mapping[str, Maker] = {
    "separable": _chain("sep_conv_3x3", "sep_conv_3x3"),
    "dilated": _chain("dil_conv_3x3", "dil_conv_3x3"),
    "residual": _chain("sep_conv_3x3", "skip_connect"),
    "branches": _side_by_side,
}
"""Chains of separable or of dilated convolutions, separable ones with a skip around each, and
branches of four operations side by side. Normal and reduction cell are alike.
"""


def named_cells(name: str, method: str, channels: int, cells: int, nodes: int) -> CellsGenotype:
    """A network of one of them; `method` is what the genotype says of where it comes from."""
    edges = NAMED_CELLS[name](nodes)
    return CellsGenotype(
        method=method, channels=channels, cells=cells, nodes=nodes, normal=edges, reduction=edges
    )
