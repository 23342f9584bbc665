"""`method: random-search`: the best of architectures drawn by chance, within a budget."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Literal

import numpy as np
from pydantic import Field

from emonas.learning.seeds import seed_of
from emonas.search import budget
from emonas.search.budget import TrialOptions, search_within_budget
from emonas.search.drawing import draw_genotype
from emonas.search.outcome import SearchOutcome, SearchProblem
from emonas.storage.genotype import AnyGenotype

READS_WHOLE_SYSTEM = True
"""Whether a change of the system's training options changes the search."""

READS_DATA = True
"""Whether any utterance has a say: the parts of the fold and their features are then inputs."""

_TOO_DEAR = 10
"""Candidates in a row: there is always another, which may be a cheaper one."""

rehearsal = budget.rehearsal
trained_epochs = budget.trained_epochs


class Options(TrialOptions):
    """The comparison for a search at the same cost: draw, train, keep the best on validation."""

    method: Literal["random-search"] = Field("random-search", description="the search method")


def search(options: Options, problem: SearchProblem) -> SearchOutcome:
    """Draw genotypes from the run's seed and the search's name, train each on the training part,
    and take the one of lowest validation loss.

    Raises:
        EmonasError: no architecture can be drawn for this kind of system, the protocol has no
            validation part, or every candidate diverges.
    """
    return search_within_budget(options, problem, _drawn(options, problem), _TOO_DEAR)


def _drawn(options: Options, problem: SearchProblem) -> Iterator[tuple[str, AnyGenotype]]:
    seed = seed_of(problem.seed, problem.name)
    for number in count():
        name, generator = f"random-{number}", np.random.default_rng([seed, number])
        yield name, draw_genotype(generator, problem.system.network, options, name)
