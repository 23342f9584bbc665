"""`method: random`: one architecture drawn by chance from the space of the other methods."""

from __future__ import annotations

import time
from typing import Literal

import numpy as np
from pydantic import Field, field_validator

from emonas.errors import EmonasError
from emonas.learning.seeds import seed_of
from emonas.search.outcome import SearchOptions, SearchOutcome, SearchTask
from emonas.storage.cost import EpochCost
from emonas.storage.genotype import (
    MOST_CELLS,
    MOST_CHANNELS,
    MOST_NODES,
    CellsGenotype,
    Edge,
    RecurrentGenotype,
)

READS_WHOLE_SYSTEM = False
"""Whether a change of the system's training options changes the search."""

READS_DATA = False
"""Whether any utterance has a say: the parts of the fold and their features are then inputs."""


class Options(SearchOptions):
    """The comparison for a search: what follows it is the same, the search itself is left out."""

    method: Literal["random"] = Field("random", description="the search method")
    channels: int = Field(
        6, ge=1, le=MOST_CHANNELS, description="channels of the first cell (C); cells only"
    )
    cells: int = Field(3, ge=1, le=MOST_CELLS, description="cells (L); cells only")
    nodes: int = Field(4, ge=1, le=MOST_NODES, description="nodes of a cell (N); cells only")

    @field_validator("retrain")
    @classmethod
    def _nothing_was_trained(cls, value: bool) -> bool:
        if not value:
            raise ValueError("a random architecture has no searched weights; leave retrain true")
        return value


def search(options: Options, task: SearchTask) -> SearchOutcome:
    """Draw a genotype from the run's seed and the search's name; no utterance has a say.

    Its cost is one row with no architecture evaluated.

    Raises:
        EmonasError: no architecture can be drawn for this kind of system.
    """
    from emonas.learning.devices import peak_memory

    started = time.perf_counter()
    genotype = _draw(options, task)
    seconds = time.perf_counter() - started
    return SearchOutcome(genotype, costs=[EpochCost(1, seconds, peak_memory(task.device))])


def _draw(options: Options, task: SearchTask) -> CellsGenotype | RecurrentGenotype:
    generator = np.random.default_rng(seed_of(task.seed, task.name))
    if task.system.network == "cells":
        return CellsGenotype(
            method=options.method,
            channels=options.channels,
            cells=options.cells,
            nodes=options.nodes,
            normal=_draw_cell(generator, options.nodes),
            reduction=_draw_cell(generator, options.nodes),
        )
    if task.system.network == "recurrent":
        from emonas.search.random_recipe import draw_recipe

        return draw_recipe(generator, "random")
    raise EmonasError(
        f"search.method: random draws for cells and recurrent, and the network is "
        f"{task.system.network}; choose another method"
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
