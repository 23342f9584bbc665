"""A contest of candidates on one fold: the lowest validation loss wins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from emonas.errors import EmonasError
from emonas.search.halving import contest_epochs, round_ends
from emonas.search.outcome import SearchOutcome, SearchProblem
from emonas.storage.cost import EpochCost

if TYPE_CHECKING:
    from emonas.learning.resume import ResumePoint
    from emonas.search.halving import Halving
    from emonas.storage.genotype import AnyGenotype

_FIGURES = (
    "train_loss",
    "train_ua",
    "train_wa",
    "validation_loss",
    "validation_ua",
    "validation_wa",
)


@dataclass(frozen=True)
class Rounds:
    """How long candidates are trained: `epochs` of those that stay to the end, `first` of the first
    round at least, and after a round one in `factor` goes on.
    """

    epochs: int
    first: int = 1
    factor: int = 1

    @property
    def ends(self) -> list[int]:
        """The last epoch of each round."""
        return round_ends(self.epochs, self.first, self.factor)

    def all_epochs(self, candidates: int) -> int:
        """Epochs of all candidates together, if none diverges."""
        return contest_epochs(candidates, self.ends, self.factor)


def hold_contest(
    problem: SearchProblem, pool: Mapping[str, AnyGenotype], rounds: Rounds, *, searched: bool
) -> SearchOutcome:
    """Train a pool on the training part, and take whoever has the lowest validation loss.

    `searched` says that the winner's weights are kept, for the test of the searched network.

    Raises:
        EmonasError: the protocol has no validation part, or every candidate diverges.
    """
    from emonas.search.halving import halve
    from emonas.search.trials import Trials

    if problem.data.validation is None:
        raise EmonasError(
            f"{problem.name}: the cell is chosen on validation, and the protocol has no "
            "validation part; let the protocol validate"
        )
    with TemporaryDirectory() as folder:
        trials = Trials(problem, pool, rounds.epochs, _kept(problem.resume, folder))
        title = f"search {problem.name}"
        contest = halve(list(pool), rounds.ends, rounds.factor, trials.train, trials.leave, title)
        weights = trials.weights(contest.winner) if searched else {}
    return SearchOutcome(pool[contest.winner], weights, _history(contest), _costs(contest))


def _kept(resume: ResumePoint, folder: str) -> ResumePoint:
    """A point that keeps states, because a candidate goes on from the round before."""
    from emonas.learning.resume import ResumePoint

    return resume if resume.keeps else ResumePoint(Path(folder))


def _history(contest: Halving) -> list[dict[str, Any]]:
    """A row an epoch of every candidate, ordered by round, candidate and epoch."""
    rows: list[dict[str, Any]] = []
    for trial in contest.trials:
        for epoch, figures in enumerate(trial.history, start=1):
            rows.append(_row(contest, trial.name, epoch, figures, "ok"))
        if trial.diverged is not None:
            rows.append(_row(contest, trial.name, trial.diverged, {}, "diverged"))
    return sorted(rows, key=lambda row: int(row["round"]))


def _row(
    contest: Halving, name: str, epoch: int, figures: dict[str, float], status: str
) -> dict[str, Any]:
    return {
        "candidate": name,
        "round": contest.round_of(epoch),
        "epoch": epoch,
        **{figure: figures.get(figure) for figure in _FIGURES},
        "status": status,
    }


def _costs(contest: Halving) -> list[EpochCost]:
    """Epoch by epoch: what all took that trained it, and how many they were."""
    costs: dict[int, EpochCost] = {}
    for trial in contest.trials:
        for cost in trial.costs:
            sofar = costs.get(cost.epoch, EpochCost(cost.epoch, 0.0, 0.0))
            costs[cost.epoch] = EpochCost(
                epoch=cost.epoch,
                seconds=sofar.seconds + cost.seconds,
                memory=max(sofar.memory, cost.memory),
                architectures=sofar.architectures + 1,
                macs=sofar.macs + cost.macs,
            )
    return [costs[epoch] for epoch in sorted(costs)]
