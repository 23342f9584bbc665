"""Successive halving (Jamieson & Talwalkar 2016): the worse part of a pool leaves after a round."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NoReturn

from emonas.jobs import Progress
from emonas.storage.cost import EpochCost

Row = dict[str, float]


@dataclass
class Trial:
    """What the training of one candidate has left so far: a row an epoch, and the epoch whose loss
    was no finite number, if there was one; then `what` says what it was, and `at_once` whether
    what is heard did it, and not the learning rate.
    """

    name: str
    history: list[Row] = field(default_factory=list)
    costs: list[EpochCost] = field(default_factory=list)
    diverged: int | None = None
    what: str = ""
    at_once: bool = False

    def loss(self, end: int) -> float:
        """The lowest validation loss of the epochs up to `end`."""
        return min(row["validation_loss"] for row in self.history[:end])

    def alive(self, end: int) -> bool:
        """Whether it got to `end` with finite losses."""
        return self.diverged is None or self.diverged > end


@dataclass(frozen=True)
class Halving:
    """The whole contest: every trial in the order of the pool, and the winner's name."""

    trials: list[Trial]
    winner: str
    ends: list[int]

    def round_of(self, epoch: int) -> int:
        """The round in which an epoch lay, counted from 1."""
        return 1 + sum(epoch > end for end in self.ends)


def round_ends(epochs: int, first: int, factor: int) -> list[int]:
    """The last epoch of each round: `epochs`, a `factor`-th of it before that, and so on, rounded
    up, as long as there are `first` epochs left. A factor of 1 makes one round.
    """
    ends = [epochs]
    while first <= (earlier := math.ceil(ends[0] / factor)) < ends[0]:
        ends.insert(0, earlier)
    return ends


def contest_epochs(candidates: int, ends: Sequence[int], factor: int) -> int:
    """Epochs of a whole pool together, if nobody diverges."""
    total, before = 0, 0
    for end in ends:
        total += candidates * (end - before)
        before, candidates = end, math.ceil(candidates / factor)
    return total


def halve(
    pool: Sequence[str],
    ends: list[int],
    factor: int,
    train: Callable[[str, int], Trial],
    leave: Callable[[Trial], None],
    title: str,
) -> Halving:
    """Train a pool in rounds; the lowest validation loss so far wins.

    After each round but the last a `factor`-th of those that entered it, rounded up, goes on;
    who diverges goes out. `train` takes a name to an epoch from where it was, and `leave` is told
    of everyone who is out as soon as that is certain.

    Raises:
        DivergedError: every candidate did.
    """
    trials: dict[str, Trial] = {}
    entrants = list(pool)
    for number, end in enumerate(ends, start=1):
        places = 1 if end == ends[-1] else math.ceil(len(entrants) / factor)
        progress = Progress(f"{title}, round {number} of {len(ends)}", len(entrants))
        ahead: list[Trial] = []
        for done, name in enumerate(entrants, start=1):
            trial = trials[name] = train(name, end)
            ahead, out = _rank(ahead, trial, end, places)
            for loser in out:
                leave(loser)
            text = f"loss {trial.loss(end):.3f}" if trial.alive(end) else "diverged"
            progress.step(done, f"{name}: {text}")
        kept = {trial.name for trial in ahead}
        entrants = [name for name in entrants if name in kept]
        if not entrants:
            _refuse_all(list(trials.values()))
    return Halving([trials[name] for name in pool], entrants[0], ends)


def _refuse_all(trials: Sequence[Trial]) -> NoReturn:
    """Say of whoever got furthest what ended it."""
    from emonas.learning.loop import DivergedError

    diverged = [trial for trial in trials if trial.diverged is not None]
    last = max(diverged, key=lambda trial: trial.diverged or 0)
    raise DivergedError(
        last.diverged or 0,
        f"{last.what} ({last.name}; every candidate diverged)",
        at_once=all(trial.at_once for trial in diverged),
        kept=False,
    )


def _rank(
    ahead: list[Trial], trial: Trial, end: int, places: int
) -> tuple[list[Trial], list[Trial]]:
    """Those still in, and those now out; of equals the first by name stays."""
    if not trial.alive(end):
        return ahead, [trial]
    ordered = sorted([*ahead, trial], key=lambda each: (each.loss(end), each.name))
    return ordered[:places], ordered[places:]
