"""How many candidates a budget pays for: that of another search, in multiply-accumulates."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

from pydantic import Field, field_validator, model_validator

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
    halving: int = Field(
        1, ge=1, description="after a round, one candidate in so many goes on; 1 trains each fully"
    )
    first_epochs: int = Field(5, ge=1, description="fewest epochs of the first round")

    @field_validator("retrain")
    @classmethod
    def _is_trained_anew(cls, value: bool) -> bool:
        if not value:
            raise ValueError("the candidate that wins is trained anew; leave retrain true")
        return value

    @model_validator(mode="after")
    def _knows_how_many(self) -> TrialOptions:
        if (self.budget is None) == (self.trials is None):
            raise ValueError("give either budget, a system's name, or trials, a number")
        return self


def rehearsal(options: TrialOptions) -> TrialOptions:
    """The same for one epoch of one candidate, for forecasts."""
    changes = {"budget": None, "trials": 1, "epochs": 1, "halving": 1}
    return options.model_copy(update=changes)


def trained_epochs(options: TrialOptions, system: TrainedOptions) -> int | None:
    """Epochs of all candidates together, for forecasts; None where a budget says how many."""
    if options.trials is None:
        return None
    return _rounds(options, system).all_epochs(options.trials)


def search_within_budget(
    options: TrialOptions,
    problem: SearchProblem,
    candidates: Iterable[tuple[str, AnyGenotype]],
) -> SearchOutcome:
    """Train as many candidates as there are to be, and take the lowest validation loss.

    `candidates` are endless. Who diverges is out.

    Raises:
        EmonasError: the protocol has no validation part, every candidate diverges, or no budget is
            given where the options ask for one.
    """
    rounds = _rounds(options, problem.system)
    if options.trials is not None:
        pool = dict(islice(candidates, options.trials))
    else:
        pool = _affordable(candidates, rounds, problem)
    return hold_contest(problem, pool, rounds, searched=False)


def candidate_macs(problem: SearchProblem, genotype: AnyGenotype) -> int:
    """Multiply-accumulates of an epoch of a candidate's training."""
    from emonas.systems.building import build_network
    from emonas.systems.computing import pass_macs

    network = build_network(problem.system, genotype, problem.data.shape)
    return pass_macs(network, problem.data.train)


def _rounds(options: TrialOptions, system: TrainedOptions) -> Rounds:
    epochs = options.epochs or system.training.epochs
    return Rounds(epochs, options.first_epochs, options.halving)


def _affordable(
    candidates: Iterable[tuple[str, AnyGenotype]], rounds: Rounds, problem: SearchProblem
) -> dict[str, AnyGenotype]:
    """The most whose trainings stay within the budget whoever goes on, and one at least."""
    if problem.budget is None:
        raise EmonasError(f"{problem.name}: no budget is given; give search.trials")
    pool: dict[str, AnyGenotype] = {}
    macs: list[int] = []
    for name, genotype in candidates:
        macs.append(candidate_macs(problem, genotype))
        if pool and rounds.dearest(macs) > problem.budget:
            macs.pop()
            break
        pool[name] = genotype
    share = rounds.dearest(macs) / problem.budget
    report_line(f"{problem.name}: {len(pool)} candidates, at most {share:.0%} of the budget")
    return pool
