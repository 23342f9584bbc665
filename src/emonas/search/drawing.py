"""Architectures drawn by chance from the spaces of the searches."""

from __future__ import annotations

import numpy as np
from pydantic import Field, field_validator

from emonas.errors import EmonasError
from emonas.search.outcome import SearchOptions
from emonas.storage.genotype import (
    MOST_CELLS,
    MOST_CHANNELS,
    MOST_NODES,
    CellsGenotype,
    Edge,
    RecurrentGenotype,
)


class CellSizes(SearchOptions):
    """How large the convolutional cells are that no search makes."""

    channels: int = Field(
        6, ge=1, le=MOST_CHANNELS, description="channels of the first cell (C); cells only"
    )
    cells: int = Field(3, ge=1, le=MOST_CELLS, description="cells (L); cells only")
    nodes: int = Field(4, ge=1, le=MOST_NODES, description="nodes of a cell (N); cells only")

    @field_validator("retrain")
    @classmethod
    def _has_no_searched_weights(cls, value: bool) -> bool:
        if not value:
            raise ValueError("there are no searched weights to be kept; leave retrain true")
        return value


def draw_genotype(
    generator: np.random.Generator, network: str, sizes: CellSizes, name: str
) -> CellsGenotype | RecurrentGenotype:
    """Draw one for a kind of network; `name` is that of a recurrent cell.

    Raises:
        EmonasError: no architecture can be drawn for this kind of network.
    """
    if network == "cells":
        return CellsGenotype(
            method=sizes.method,
            channels=sizes.channels,
            cells=sizes.cells,
            nodes=sizes.nodes,
            normal=_draw_cell(generator, sizes.nodes),
            reduction=_draw_cell(generator, sizes.nodes),
        )
    if network == "recurrent":
        from emonas.search.random_recipe import draw_recipe

        return draw_recipe(generator, name).model_copy(update={"method": sizes.method})
    raise EmonasError(
        f"search.method: {sizes.method} draws for cells and recurrent, and the network is "
        f"{network}; choose another method"
    )


def _draw_cell(generator: np.random.Generator, nodes: int) -> tuple[Edge, ...]:
    """Two edges into every node, out of different states, with operations other than `none`."""
    from emonas.networks.cell_operations import OPERATIONS

    candidates = [operation for operation in OPERATIONS if operation != "none"]
    edges: list[Edge] = []
    for node in range(nodes):
        for source in sorted(generator.choice(node + 2, size=2, replace=False).tolist()):
            operation = candidates[generator.integers(len(candidates))]
            edges.append(Edge(node=node, source=source, operation=operation))
    return tuple(edges)
