"""`method: hand-made`: the best of the cells that people made, within a budget."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Literal

from pydantic import Field

from emonas.errors import EmonasError
from emonas.search import budget
from emonas.search.budget import TrialOptions, search_within_budget
from emonas.search.named_cells import NAMED_CELLS, named_cells
from emonas.search.named_recipes import CELL_NAMES, named_recipe
from emonas.search.outcome import SearchOutcome, SearchProblem
from emonas.storage.genotype import AnyGenotype, RecurrentGenotype
from emonas.storage.history import AGAIN

READS_WHOLE_SYSTEM = True
"""Whether a change of the system's training options changes the search."""

READS_DATA = True
"""Whether any utterance has a say: the parts of the fold and their features are then inputs."""

rehearsal = budget.rehearsal
trained_epochs = budget.trained_epochs


class Options(TrialOptions):
    """The comparison for a search at the same cost: known cells, the best of them on validation."""

    method: Literal["hand-made"] = Field("hand-made", description="the search method")


def search(options: Options, problem: SearchProblem) -> SearchOutcome:
    """Train the cells that have names on the training part, again and again from other initial
    weights while the budget lasts, and take the one of lowest validation loss.

    Raises:
        EmonasError: there are no such cells for this kind of system, the protocol has no validation
            part, or every candidate diverges.
    """
    # The first that is too dear is the last: passed over, the cheaper ones would have more tries.
    return search_within_budget(options, problem, _named(options, problem.system.network))


def _named(options: Options, network: str) -> Iterator[tuple[str, AnyGenotype]]:
    made = _made(options, network)
    for times in count(1):
        for name, genotype in made.items():
            yield name if times == 1 else f"{name}{AGAIN}{times}", genotype


def _made(options: Options, network: str) -> dict[str, AnyGenotype]:
    if network == "cells":
        sizes = options.channels, options.cells, options.nodes
        return {name: named_cells(name, options.method, *sizes) for name in NAMED_CELLS}
    if network == "recurrent":
        return {
            name: RecurrentGenotype(method=options.method, name=name, recipe=named_recipe(name))
            for name in CELL_NAMES
        }
    raise EmonasError(
        f"search.method: hand-made has cells for cells and recurrent, and the network is "
        f"{network}; choose another method"
    )
