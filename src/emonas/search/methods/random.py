"""`method: random`: one architecture drawn by chance from the space of the other methods."""

from __future__ import annotations

import time
from typing import Literal

import numpy as np
from pydantic import Field

from emonas.learning.seeds import seed_of
from emonas.search.drawing import CellSizes, draw_genotype
from emonas.search.outcome import SearchOutcome, SearchTask
from emonas.storage.cost import EpochCost

READS_WHOLE_SYSTEM = False
"""Whether a change of the system's training options changes the search."""

READS_DATA = False
"""Whether any utterance has a say: the parts of the fold and their features are then inputs."""


class Options(CellSizes):
    """The comparison for a search: what follows it is the same, the search itself is left out."""

    method: Literal["random"] = Field("random", description="the search method")


def search(options: Options, task: SearchTask) -> SearchOutcome:
    """Draw a genotype from the run's seed and the search's name; no utterance has a say.

    Its cost is one row with no architecture evaluated.

    Raises:
        EmonasError: no architecture can be drawn for this kind of system.
    """
    from emonas.learning.devices import peak_memory

    started = time.perf_counter()
    generator = np.random.default_rng(seed_of(task.seed, task.name))
    genotype = draw_genotype(generator, task.system.network, options, options.method)
    seconds = time.perf_counter() - started
    return SearchOutcome(genotype, costs=[EpochCost(1, seconds, peak_memory(task.device))])
