"""The one training loop: epochs, validation, choice of epoch, resume, progress and cost."""

import copy
import math
import time
from collections.abc import Mapping
from dataclasses import astuple, dataclass, field
from typing import Any, Protocol

import torch
from torch import Tensor

from emonas.errors import EmonasError
from emonas.jobs import Progress
from emonas.learning.batches import Batch, Batches
from emonas.learning.devices import peak_memory
from emonas.learning.options import Selection
from emonas.learning.resume import ResumePoint
from emonas.learning.scores import Scored, Tally
from emonas.storage.cost import EpochCost

Row = dict[str, float]


class DivergedError(EmonasError):
    """A loss or a weight is no finite number any more.

    Attributes:
        epoch: the epoch in which it is.
        what: what it is, in words.
        at_once: whether it is what is heard, and not the rate: nothing was learnt before, or it
            holds numbers that are none.
        kept: whether the state after the epoch before is kept, where states are.
    """

    def __init__(self, epoch: int, what: str, *, at_once: bool = False, kept: bool = True) -> None:
        super().__init__(
            f"{what}; {'correct or scale the features' if at_once else 'lower the learning rate'}"
        )
        self.epoch = epoch
        self.what = what
        self.at_once = at_once
        self.kept = kept


class Learner(Protocol):
    """What learns from batches; its state is all that it needs to go on after an epoch."""

    device: torch.device

    @property
    def needs_validation(self) -> bool:
        """Whether its learning rate goes by the validation loss."""

    def begin_epoch(self, epoch: int) -> None:
        """Prepare epoch `epoch`, counted from 1."""

    def end_epoch(self, row: Row) -> None:
        """Take in the epoch's figures, all that the history has of it."""

    def train_batch(self, batch: Batch) -> Scored:
        """Learn from one batch."""

    def validate_batch(self, batch: Batch) -> Scored:
        """Score one batch without learning."""

    def facts(self) -> Row:
        """Figures of the epoch besides the scores, for the history."""

    def weights(self) -> Mapping[str, Tensor]:
        """By name what must stay finite: all that is learnt, and what goes with it."""

    def state(self) -> dict[str, Any]:
        """Everything that changes in learning."""

    def restore(self, state: dict[str, Any]) -> None:
        """Take back a state."""


@dataclass(frozen=True)
class Plan:
    """How long, and which epoch is kept; `pause` ends a call after that epoch, with all that a
    later call needs to go on kept in its resume point. `architectures` and `macs`
    (multiply-accumulates) are what an epoch trains and computes, for its cost.
    """

    epochs: int
    select: Selection = "last"
    patience: int | None = None
    architectures: int = 0
    macs: int = 0
    pause: int | None = None


@dataclass
class Outcome:
    """What a training left: a row an epoch, and the epoch that was kept."""

    history: list[Row] = field(default_factory=list)
    costs: list[EpochCost] = field(default_factory=list)
    best_epoch: int = 0


def fit(
    learner: Learner,
    train: Batches,
    validation: Batches | None,
    plan: Plan,
    *,
    resume: ResumePoint,
    progress: Progress | None = None,
) -> Outcome:
    """Train, and leave the learner in the state of the chosen epoch.

    Raises:
        DivergedError: a loss or a weight is no finite number; what was kept last is the state of
            the epoch before.
        EmonasError: the epoch or the learning rate goes by validation, and there is none.
    """
    if validation is None:
        _refuse_choices(learner, plan)
    outcome, best = _begin(learner, resume)
    end = plan.epochs if plan.pause is None else plan.pause
    for epoch in range(len(outcome.history) + 1, end + 1):
        if plan.patience is not None and epoch - 1 - outcome.best_epoch >= plan.patience:
            break
        started = time.perf_counter()
        row = {"epoch": epoch, **_train(learner, train, epoch), **score(learner, validation)}
        row.update(learner.facts())
        _refuse_divergence(epoch, row, learner.weights(), validation)
        learner.end_epoch(row)
        outcome.history.append(row)
        if _better(outcome, plan.select):
            outcome.best_epoch = epoch
            best = copy.deepcopy(learner.state())
        seconds = time.perf_counter() - started
        memory = peak_memory(learner.device)
        outcome.costs.append(EpochCost(epoch, seconds, memory, plan.architectures, plan.macs))
        if epoch < plan.epochs or plan.pause is not None:
            _keep(learner, outcome, best, resume)
        if progress is not None:
            progress.step(epoch, _summary(row))
    learner.restore(best)
    return outcome


def score(learner: Learner, batches: Batches | None, part: str = "validation") -> Row:
    """Loss, UA and WA over batches; nothing where there are none."""
    if batches is None:
        return {}
    tally = Tally()
    for batch in batches.epoch():
        tally.add(learner.validate_batch(batch.to(learner.device)))
    return tally.figures(part)


def _train(learner: Learner, batches: Batches, epoch: int) -> Row:
    learner.begin_epoch(epoch)
    tally = Tally()
    for step, batch in enumerate(batches.epoch(epoch), start=1):
        scored = learner.train_batch(batch.to(learner.device))
        if not math.isfinite(scored.loss):
            what = f"epoch {epoch}, step {step}: the loss is {scored.loss}"
            at_once = epoch == step == 1 or not _heard_finite(batch)
            raise DivergedError(epoch, what, at_once=at_once)
        tally.add(scored)
    return tally.figures("train")


def _refuse_choices(learner: Learner, plan: Plan) -> None:
    """Refuse what can't be decided without a validation part."""
    if plan.select != "last":
        raise EmonasError(
            f"training.select: {plan.select}, but the protocol has no validation part; "
            "set it to last, or let the protocol validate"
        )
    if learner.needs_validation:
        raise EmonasError(
            "training.schedule: plateau, but the protocol has no validation part; set it to "
            "constant or cosine, or let the protocol validate"
        )


def _better(outcome: Outcome, select: Selection) -> bool:
    """Whether the last row is the best so far; of equals the first."""
    if select == "last" or outcome.best_epoch == 0:
        return True
    sign = -1 if select == "validation_loss" else 1
    best = outcome.history[outcome.best_epoch - 1]
    return sign * outcome.history[-1][select] > sign * best[select]


def _heard_finite(batch: Batch) -> bool:
    return all(bool(torch.isfinite(stream.frames).all()) for stream in batch.streams)


def _refuse_divergence(
    epoch: int, row: Row, weights: Mapping[str, Tensor], validation: Batches | None
) -> None:
    """Refuse an epoch whose losses or weights are not finite; the last step may have done it."""
    for name, value in row.items():
        if name.endswith("_loss") and not math.isfinite(value):
            heard = validation.epoch() if validation and name == "validation_loss" else ()
            at_once = not all(map(_heard_finite, heard))
            raise DivergedError(epoch, f"epoch {epoch}: {name} is {value}", at_once=at_once)
    for name, tensor in weights.items():
        if not bool(torch.isfinite(tensor).all()):
            raise DivergedError(epoch, f"epoch {epoch}: {name} holds numbers that are not finite")


def _summary(row: Row) -> str:
    return ", ".join(
        f"{name.replace('_', ' ')} {row[name]:.3f}"
        for name in ("train_loss", "validation_loss", "validation_ua")
        if name in row
    )


def _keep(learner: Learner, outcome: Outcome, best: dict[str, Any], resume: ResumePoint) -> None:
    random = [torch.get_rng_state()]
    if learner.device.type == "cuda":
        random.append(torch.cuda.get_rng_state(learner.device))
    costs = [list(astuple(cost)) for cost in outcome.costs]
    resume.save(
        {
            "learner": learner.state(),
            "best": best,
            "history": outcome.history,
            "costs": costs,
            "best_epoch": outcome.best_epoch,
            "random": random,
        }
    )


def _begin(learner: Learner, resume: ResumePoint) -> tuple[Outcome, dict[str, Any]]:
    kept = resume.load()
    if kept is None:
        return Outcome(), copy.deepcopy(learner.state())
    learner.restore(kept["learner"])
    torch.set_rng_state(kept["random"][0])
    if learner.device.type == "cuda" and len(kept["random"]) > 1:
        torch.cuda.set_rng_state(kept["random"][1], learner.device)
    costs = [EpochCost(*row) for row in kept["costs"]]
    return Outcome(kept["history"], costs, kept["best_epoch"]), kept["best"]
