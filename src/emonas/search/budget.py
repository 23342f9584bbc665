"""How many candidates a budget pays for: that of another search, in multiply-accumulates."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

from pydantic import Field, model_validator

from emonas.errors import EmonasError
from emonas.jobs import report_line
from emonas.search.contest import Rounds, hold_contest
from emonas.search.drawing import CellSizes
from emonas.search.outcome import SearchOutcome, SearchProblem
from emonas.storage.genotype import AnyGenotype
from emonas.systems.options import TrainedOptions


class TrialOptions(CellSizes):
    """Candidates that no search makes, and how long they are trained to choose among them."""

    budget: str | None = Field(
        None,
        description="a system: as many candidates are trained as stay within the "
        "multiply-accumulates of its search (ours); the two may differ by the search alone",
    )
    trials: int | None = Field(
        None, ge=1, description="how many candidates are trained, in the place of a budget"
    )
    epochs: int | None = Field(
        None, ge=1, description="epochs of a candidate; those of the system's training without it"
    )

    @model_validator(mode="after")
    def _knows_how_many(self) -> TrialOptions:
        if (self.budget is None) == (self.trials is None):
            raise ValueError("give either budget, a system's name, or trials, a number")
        return self


def rehearsal(options: TrialOptions) -> TrialOptions:
    """The same for one epoch of one candidate, for forecasts."""
    return options.model_copy(update={"budget": None, "trials": 1, "epochs": 1})


def trained_epochs(options: TrialOptions, system: TrainedOptions) -> int | None:
    """Epochs of all candidates together, for forecasts; None where a budget says how many."""
    if options.trials is None:
        return None
    return options.trials * _epochs(options, system)


def search_within_budget(
    options: TrialOptions,
    problem: SearchProblem,
    candidates: Iterable[tuple[str, AnyGenotype]],
    too_dear: int = 1,
) -> SearchOutcome:
    """Train as many candidates as there are to be, each fully, and take the lowest validation loss.

    `candidates` are endless; a budget ends with so many in a row as are `too_dear` for what is left
    of it. Who diverges is out, and was paid for.

    Raises:
        EmonasError: the protocol has no validation part, every candidate diverges, or no budget is
            given where the options ask for one.
    """
    epochs = _epochs(options, problem.system)
    if options.trials is not None:
        pool = dict(islice(candidates, options.trials))
    else:
        pool = _affordable(candidates, epochs, problem, too_dear)
    return hold_contest(problem, pool, Rounds(epochs), searched=False)


def candidate_macs(problem: SearchProblem, genotype: AnyGenotype) -> int:
    """Multiply-accumulates of an epoch of a candidate's training."""
    from emonas.systems.building import build_network
    from emonas.systems.computing import pass_macs

    network = build_network(problem.system, genotype, problem.data.shape)
    return pass_macs(network, problem.data.train)


def _epochs(options: TrialOptions, system: TrainedOptions) -> int:
    return options.epochs or system.training.epochs


def _affordable(
    candidates: Iterable[tuple[str, AnyGenotype]],
    epochs: int,
    problem: SearchProblem,
    too_dear: int,
) -> dict[str, AnyGenotype]:
    """Those whose trainings together stay within the budget, and one at least: who would go beyond
    is passed over, until so many in a row are.
    """
    if problem.budget is None:
        raise EmonasError(f"{problem.name}: no budget is given; give search.trials")
    pool: dict[str, AnyGenotype] = {}
    spent = passed = 0
    for name, genotype in candidates:
        needed = epochs * candidate_macs(problem, genotype)
        if pool and spent + needed > problem.budget:
            passed += 1
            if passed == too_dear:
                break
            continue
        pool[name] = genotype
        spent, passed = spent + needed, 0
    share = spent / problem.budget
    report_line(f"{problem.name}: {len(pool)} candidates are to take {share:.0%} of the budget")
    return pool
