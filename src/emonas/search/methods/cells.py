"""`method: cells`: the recurrent cell with the lowest validation loss (EmotionNAS v2, 3.3)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from pydantic import Field, model_validator

from emonas.errors import EmonasError
from emonas.jobs import report_line
from emonas.search.contest import Rounds, hold_contest
from emonas.search.named_recipes import CELL_NAMES, CellName, named_recipe
from emonas.search.outcome import SearchOptions, SearchOutcome, SearchProblem
from emonas.search.random_recipe import draw_recipe
from emonas.search.recipe_archive import read_archive
from emonas.storage.genotype import RecurrentGenotype

if TYPE_CHECKING:
    from emonas.systems.options import TrainedOptions

NETWORK = "recurrent"
"""The kind of network that it finds."""

READS_WHOLE_SYSTEM = True
"""Whether a change of the system's training options changes the search."""

READS_DATA = True
"""Whether any utterance has a say: the parts of the fold and their features are then inputs."""


class Options(SearchOptions):
    """The pool of candidate cells, and how they are compared."""

    method: Literal["cells"] = Field("cells", description="the search method")
    named: tuple[CellName, ...] = Field(
        CELL_NAMES, description="cells by name in the pool (ours; the papers take an archive's)"
    )
    archive: Path | None = Field(
        None, description="a zip of NAS-Bench-NLP's training logs, whose recipes join the pool"
    )
    archive_limit: int | None = Field(
        None, ge=1, description="how many of the archive's recipes; all where none is given"
    )
    archive_choice: Literal["best", "sample"] = Field(
        "best",
        description="which of them: lowest published validation loss, or drawn by pool_seed (ours)",
    )
    random: int = Field(0, ge=0, description="recipes drawn at random by pool_seed (ours)")
    pool_seed: int = Field(
        0, ge=0, description="seed of what is drawn; one pool for all folds and seeds (ours)"
    )
    epochs: int = Field(50, ge=1, description="epochs of a candidate that stays to the end (v1)")
    halving: int = Field(
        2,
        ge=1,
        description="after a round, one candidate in so many goes on (ours); 1 trains each fully, "
        "as the papers do",
    )
    first_epochs: int = Field(5, ge=1, description="fewest epochs of the first round (ours)")

    @model_validator(mode="after")
    def _has_candidates(self) -> Options:
        if not self.named and self.archive is None and self.random == 0:
            raise ValueError("the pool is empty; give named, archive or random")
        return self


def search(options: Options, problem: SearchProblem) -> SearchOutcome:
    """Train every candidate on the training part, and take the one of lowest validation loss.

    Raises:
        EmonasError: the protocol has no validation part, the archive can't be read or gives no
            recipe, or every candidate diverges.
    """
    return hold_contest(problem, gather_pool(options), _rounds(options), searched=True)


def _rounds(options: Options) -> Rounds:
    return Rounds(options.epochs, options.first_epochs, options.halving)


def gather_pool(options: Options) -> dict[str, RecurrentGenotype]:
    """The candidates by name.

    Raises:
        EmonasError: the archive can't be read, or nothing is in the pool.
    """
    pool: dict[str, RecurrentGenotype] = {
        name: RecurrentGenotype(method="cells", name=name, recipe=named_recipe(name))
        for name in options.named
    }
    if options.archive is not None:
        pool.update(_archived(options, options.archive))
    for number in range(options.random):
        name = f"random-{options.pool_seed}-{number}"
        drawn = draw_recipe(np.random.default_rng([options.pool_seed, number]), name)
        pool[name] = drawn.model_copy(update={"method": "cells"})
    if not pool:
        raise EmonasError(f"{options.archive}: no usable recipe; give another archive or more")
    return pool


def rehearsal(options: Options) -> Options:
    """The same search for one epoch with the LSTM, which never diverges, and one of each source.

    For forecasts: where the archive is not there, the LSTM stands for its cells.
    """
    there = options.archive is not None and options.archive.exists()
    return options.model_copy(
        update={
            "named": ("lstm",),
            "archive": options.archive if there else None,
            "archive_limit": 1,
            "random": min(options.random, 1),
            "epochs": 1,
            "halving": 1,
        }
    )


def trained_epochs(options: Options, system: TrainedOptions) -> int | None:
    """Epochs of all candidates together, if none diverges, for forecasts.

    None where the pool is an archive that is not there, without a limit.
    """
    candidates = _pool_size(options)
    return None if candidates is None else _rounds(options).all_epochs(candidates)


def _pool_size(options: Options) -> int | None:
    if options.archive is None or options.archive.exists():
        return len(gather_pool(options))
    if options.archive_limit is None:
        return None
    return len(options.named) + options.archive_limit + options.random


def _archived(options: Options, path: Path) -> dict[str, RecurrentGenotype]:
    archive = read_archive(path)
    report_line(f"{path}: {len(archive.recipes)} recipes")
    for status, count in sorted(archive.failed.items()):
        report_line(f"{path}: {count} left out, because their training ended in: {status}")
    for entry, reason in archive.problems:
        report_line(f"{path}: {entry} left out: {reason}")
    count = options.archive_limit or len(archive.recipes)
    if options.archive_choice == "best":
        chosen = archive.best(count)
    else:
        chosen = archive.sample(count, np.random.default_rng(options.pool_seed))
    return {
        entry.name: RecurrentGenotype(method="cells", name=entry.name, recipe=entry.recipe)
        for entry in chosen
    }
