"""Train one system on one fold and seed, and apply it to every part of the fold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from emonas.jobs import Progress
from emonas.kinds import kind_module
from emonas.learning.batches import Batches
from emonas.learning.job import LearningJob
from emonas.learning.loop import Outcome, Plan, fit
from emonas.learning.resume import ResumePoint
from emonas.learning.seeds import seed_of
from emonas.learning.supervised import SupervisedLearner
from emonas.storage.folds import Part
from emonas.storage.genotype import AnyGenotype, read_genotype
from emonas.storage.predictions import Predictions
from emonas.storage.weights import read_weights
from emonas.systems.building import build_network, build_searched, count_parameters
from emonas.systems.data import (
    FeaturePaths,
    FoldData,
    feature_files,
    load_fold,
)
from emonas.systems.objective import learning_rates, make_objective
from emonas.systems.options import SystemOptions, TrainedOptions
from emonas.systems.outputs import SystemOutputs, network_cost, write_outputs
from emonas.systems.predicting import Hearing, predict_list
from emonas.systems.trained import fill_network, system_weights


@dataclass(frozen=True, kw_only=True)
class TrainJob(LearningJob):
    """One system, fold and seed.

    `genotype` is what a search found, None for a system without one; `searched` are the weights of
    the searched network where it is to be tested as it is (`retrain: false`).
    """

    system: SystemOptions
    features: FeaturePaths
    parts: Mapping[Part, Path]
    genotype: Path | None = None
    searched: Path | None = None


def train_system(job: TrainJob, outputs: SystemOutputs) -> None:
    """Train on the training part, choose the epoch on validation, predict every part.

    Raises:
        EmonasError: an input is damaged or does not fit the system.
    """
    device = job.prepare()
    data = load_fold(job.system, job.features, job.parts["train"], job.parts["validation"])
    genotype = None if job.genotype is None else read_genotype(job.genotype)
    with job.resume_point("train", _inputs(job), system=job.system) as resume:
        if job.searched is not None and genotype is not None:
            network = build_searched(job.system, genotype, data.shape)
            fill_network(network, read_weights(job.searched), job.searched)
            outcome = Outcome()
        else:
            network = build_network(job.system, genotype, data.shape)
            outcome = _learn(job, data, network, device, resume)
        hearing = Hearing(job.system, job.features, data.classes, data.normalisers, data.shape)
        parts: dict[str, Predictions] = {
            part: predict_list(network, hearing, path, device) for part, path in job.parts.items()
        }
        cost = network_cost(network, data.train, _searched_parameters(job, genotype, data))
        weights = system_weights(network, data.normalisers)
        write_outputs(outputs, parts, weights, outcome, cost)


def _inputs(job: TrainJob) -> list[Path]:
    found = [path for path in (job.genotype, job.searched) if path is not None]
    return [*job.parts.values(), *feature_files(job.features), *found]


def _learn(
    job: TrainJob, data: FoldData, network: nn.Module, device: torch.device, resume: ResumePoint
) -> Outcome:
    if not isinstance(job.system, TrainedOptions):
        module = kind_module("network", job.system.network)
        solved: Outcome = module.solve(network, job.system, data.train, data.validation)
        return solved
    options = job.system.training
    objective = make_objective(job.system, data, network)
    rates = learning_rates(job.system, data.shape, network)
    seed = seed_of(job.seed, job.name, "batches")
    return fit(
        SupervisedLearner(network, options, device, objective, rates=rates),
        Batches(data.train, options.batch, seed, shuffle=True),
        None if data.validation is None else Batches(data.validation, options.batch),
        Plan(options.epochs, options.select, options.patience),
        resume=resume,
        progress=Progress(f"train {job.name}", options.epochs),
    )


def _searched_parameters(job: TrainJob, genotype: AnyGenotype | None, data: FoldData) -> int | None:
    """The weights of the network that was searched; none where the genotype was drawn by chance."""
    if genotype is None or genotype.method == "random":
        return None
    return count_parameters(build_searched(job.system, genotype, data.shape))
