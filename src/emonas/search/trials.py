"""Training of one candidate, from where it was to a later epoch."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from emonas.learning.batches import Batches
from emonas.learning.loop import DivergedError, Outcome, Plan, fit
from emonas.learning.resume import ResumePoint
from emonas.learning.seeds import seed_of
from emonas.learning.supervised import SupervisedLearner
from emonas.search.halving import Trial
from emonas.search.outcome import SearchProblem
from emonas.storage.cost import EpochCost
from emonas.storage.genotype import AnyGenotype
from emonas.systems.building import build_network
from emonas.systems.computing import pass_macs
from emonas.systems.objective import make_objective

if TYPE_CHECKING:
    from torch import nn


class Trials:
    """Trains candidates on a fold's training part and scores them on its validation part.

    A candidate's initial weights depend on the seed and its name, and all see the same batches; so
    neither the order of a pool nor who else is in it changes a curve.
    """

    def __init__(
        self,
        problem: SearchProblem,
        candidates: Mapping[str, AnyGenotype],
        epochs: int,
        resume: ResumePoint,
    ) -> None:
        data, training = problem.data, problem.system.training
        seed = seed_of(problem.seed, problem.name, "batches")
        self._problem = problem
        self._candidates = candidates
        self._resume = resume
        self._options = training.model_copy(update={"epochs": epochs})
        self._train = Batches(data.train, training.batch, seed, shuffle=True)
        self._validation = (
            None if data.validation is None else Batches(data.validation, training.batch)
        )

    def train(self, name: str, end: int) -> Trial:
        """Take a candidate to epoch `end`; one that is out stays where it was."""
        point = self._resume.part(name)
        if (record := point.load("record")) is not None:
            costs = [EpochCost(**cost) for cost in record["costs"]]
            return Trial(name, **{**record, "costs": costs})
        try:
            outcome = self._fit(self._learner(name), name, end)
        except DivergedError as error:
            kept = point.load() or {"history": [], "costs": []}
            costs = [EpochCost(*cost) for cost in kept["costs"]]
            told = error.what, error.at_once
            return Trial(name, kept["history"], costs, len(kept["history"]) + 1, *told)
        return Trial(name, outcome.history, outcome.costs)

    def leave(self, trial: Trial) -> None:
        """Keep a loser's curve for a job that goes on later, and drop its weights."""
        point = self._resume.part(trial.name)
        record = asdict(trial)
        del record["name"]
        point.save(record, "record")
        point.forget()

    def weights(self, name: str) -> dict[str, Tensor]:
        """The weights of a candidate that was trained to the end, at its best epoch."""
        learner = self._learner(name)
        self._fit(learner, name, self._options.epochs)
        state = learner.network.state_dict()
        return {key: tensor.detach().cpu().clone() for key, tensor in state.items()}

    def _learner(self, name: str) -> SupervisedLearner:
        problem = self._problem
        torch.manual_seed(seed_of(problem.seed, problem.name, name))
        network: nn.Module = build_network(
            problem.system, self._candidates[name], problem.data.shape
        )
        objective = make_objective(problem.system, problem.data, network)
        return SupervisedLearner(network, self._options, problem.device, objective)

    def _fit(self, learner: SupervisedLearner, name: str, end: int) -> Outcome:
        macs = pass_macs(learner.network, self._problem.data.train)
        plan = Plan(self._options.epochs, "validation_loss", macs=macs, pause=end)
        point = self._resume.part(name)
        return fit(learner, self._train, self._validation, plan, resume=point)
