"""Train one system on one fold and seed, and apply it to every part of the fold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import nn

from emonas.jobs import Progress, report_line
from emonas.kinds import kind_module
from emonas.learning.batches import Batches
from emonas.learning.job import LearningJob
from emonas.learning.loop import DivergedError, Outcome, Plan, fit
from emonas.learning.resume import ResumePoint
from emonas.learning.seeds import seed_of
from emonas.learning.supervised import SupervisedLearner
from emonas.options import Options
from emonas.storage.folds import Part, read_part
from emonas.storage.genotype import UNSEARCHED, AnyGenotype, read_genotype
from emonas.storage.predictions import Predictions
from emonas.storage.weights import read_weights
from emonas.systems.building import build_network, build_searched, count_parameters
from emonas.systems.computing import pass_macs
from emonas.systems.data import FoldData, load_fold, load_whole_fold, longer_ones
from emonas.systems.material import Material
from emonas.systems.objective import learning_rates, make_objective
from emonas.systems.options import SystemOptions, TrainedOptions
from emonas.systems.outputs import Long, SystemOutputs, network_cost, write_outputs
from emonas.systems.predicting import Hearing, predict_list
from emonas.systems.trained import fill_network, start_from, system_weights


@dataclass(frozen=True, kw_only=True)
class TrainJob(LearningJob):
    """One system, fold and seed.

    `genotype` is what a search found, None for a system without one; `searched` are the weights of
    the searched network where it is to be tested as it is (`retrain: false`); `start` are the
    weights of the system that this one starts from, None for one that starts from none.

    `chosen_on` is the list that the epoch is chosen on in the place of the validation part, and
    `scaled_over` are lists that statistics are fitted to besides the training part: for
    `emonas.train.inflated` alone, which measures what such habits add.
    """

    system: SystemOptions
    material: Material
    parts: Mapping[Part, Path]
    genotype: Path | None = None
    searched: Path | None = None
    start: Path | None = None
    chosen_on: Path | None = None
    scaled_over: tuple[Path, ...] = ()

    @property
    def chooses(self) -> Path:
        """The list that the epoch is chosen on."""
        return self.chosen_on or self.parts["validation"]

    def remedy(self, error: DivergedError, options: Mapping[str, Options]) -> str:
        """Of an architecture that was drawn by chance, another one; then what helps any other."""
        found = super().remedy(error, options)
        if self.genotype is None or read_genotype(self.genotype).method != "random":
            return found
        path = f"systems.{self.system_name}.search"
        return (
            "its architecture was drawn by chance, and not every one can be trained: let "
            f"{path} be {{method: random-search, trials: 3}}, which leaves out who diverges, or "
            f"{found}"
        )


def train_system(job: TrainJob, outputs: SystemOutputs) -> None:
    """Train on the training part, choose the epoch on validation, predict every part.

    Raises:
        EmonasError: an input is damaged or does not fit the system.
    """
    device = job.prepare()
    genotype = None if job.genotype is None else read_genotype(job.genotype)
    with job.resume_point("train", _inputs(job), system=job.system) as resume:
        learnt = learn(job, genotype, device, resume)
        data, network = learnt.data, learnt.network
        hearing = Hearing(job.system, job.material, data.classes, data.normaliser, data.shape)
        parts: dict[str, Predictions] = {
            part: predict_list(network, hearing, path, device) for part, path in job.parts.items()
        }
        searched = _searched_parameters(job, genotype, data)
        cost = network_cost(network, data.train, searched, _long(job))
        weights = system_weights(network, data.normaliser)
        write_outputs(outputs, parts, weights, learnt.outcome, cost)


@dataclass(frozen=True)
class Learnt:
    """A network, what it learnt from, and how that went."""

    data: FoldData
    network: nn.Module
    outcome: Outcome


def learn(
    job: TrainJob, genotype: AnyGenotype | None, device: torch.device, resume: ResumePoint
) -> Learnt:
    """The searched network as it is, or the system's own, trained."""
    if isinstance(job.system, TrainedOptions) and job.system.refit:
        return _refitted(job, job.system, genotype, device, resume)
    train = job.parts["train"]
    data = load_fold(job.system, job.material, train, job.chooses, job.scaled_over)
    if job.searched is not None and genotype is not None:
        network = build_searched(job.system, genotype, data.shape)
        fill_network(network, read_weights(job.searched), job.searched)
        return Learnt(data, network, Outcome())
    network = _begun(job, genotype, data)
    return Learnt(data, network, _learn(job, data, network, device, resume))


def _refitted(
    job: TrainJob,
    system: TrainedOptions,
    genotype: AnyGenotype | None,
    device: torch.device,
    resume: ResumePoint,
) -> Learnt:
    """The system trained on training and validation part, for as many epochs as validation chose
    before; where `select: last` leaves nothing to choose, at once.
    """
    train, validation = job.parts["train"], job.parts["validation"]
    outcome, epochs = None, system.training.epochs
    if system.training.select != "last":
        data = load_fold(system, job.material, train, job.chooses, job.scaled_over)
        network = _begun(job, genotype, data)
        outcome = _fit(job, system, data, network, device, resume)
        epochs = outcome.best_epoch
    # Validation is learnt from here, and scaled by with that.
    others = tuple(path for path in job.scaled_over if path != validation)
    whole = load_whole_fold(system, job.material, train, validation, others)
    network = _begun(job, genotype, whole)
    second = _fit(job, system, whole, network, device, resume.part("refit"), epochs)
    if outcome is None:
        return Learnt(whole, network, second)
    # The history is that of the choice; what was paid is paid for both.
    done = len(outcome.costs)
    paid = [replace(cost, epoch=done + cost.epoch) for cost in second.costs]
    return Learnt(whole, network, replace(outcome, costs=[*outcome.costs, *paid]))


def _begun(job: TrainJob, genotype: AnyGenotype | None, data: FoldData) -> nn.Module:
    """The network before its training: anew, or with what another system learnt."""
    network = build_network(job.system, genotype, data.shape)
    if job.start is not None:
        went_on = start_from(network, job.start)
        report_line(f"starts from {job.start}: {', '.join(['the encoder', *went_on])}")
    return network


def _long(job: TrainJob) -> Long:
    """What became of the utterances of all parts that are longer than the system allows."""
    counts = {
        part: int(longer_ones(job.system, job.material.features, read_part(path)).sum())
        for part, path in job.parts.items()
    }
    refits = getattr(job.system, "refit", False)
    learnt: tuple[Part, ...] = ("train", "validation") if refits else ("train",)
    left_out = sum(counts[part] for part in learnt) if job.system.leaves_long_out else 0
    return Long(sum(counts.values()) - left_out, left_out)


def _inputs(job: TrainJob) -> list[Path]:
    found = [path for path in (job.genotype, job.searched, job.start) if path is not None]
    return [*job.parts.values(), *job.material.files, *found]


def _learn(
    job: TrainJob, data: FoldData, network: nn.Module, device: torch.device, resume: ResumePoint
) -> Outcome:
    if isinstance(job.system, TrainedOptions):
        return _fit(job, job.system, data, network, device, resume)
    module = kind_module("network", job.system.network)
    heard = data.shape.names
    parts = data.train, data.validation
    solved: Outcome = module.solve(network, job.system, *parts, heard, data.scaled)
    return solved


def _fit(
    job: TrainJob,
    system: TrainedOptions,
    data: FoldData,
    network: nn.Module,
    device: torch.device,
    resume: ResumePoint,
    last: int | None = None,
) -> Outcome:
    """Train epoch by epoch; `last` ends it there, without a choice. What the kind solves on the
    training part at the end, with the chosen epoch's weights, comes after.
    """
    options = system.training
    objective = make_objective(system, data, network)
    rates = learning_rates(system, data.shape, network)
    macs = pass_macs(network, data.train)
    plan = Plan(options.epochs, options.select, options.patience, macs=macs)
    if last is not None:
        plan = Plan(last, macs=macs)
    outcome = fit(
        SupervisedLearner(network, options, device, objective, rates=rates, pieces=system.pieces),
        Batches(
            data.train,
            options.batch,
            seed_of(job.seed, job.name, "batches"),
            shuffle=True,
            by_length=options.by_length,
        ),
        None
        if data.validation is None
        else Batches(data.validation, options.batch, by_length=options.by_length),
        plan,
        resume=resume,
        progress=Progress(f"train {job.name}", plan.epochs),
    )
    module = kind_module("network", system.network)
    if hasattr(module, "finish"):
        module.finish(network, system, data.train)
    return outcome


def _searched_parameters(job: TrainJob, genotype: AnyGenotype | None, data: FoldData) -> int | None:
    """The weights of the network that was searched; none where the genotype was drawn by chance."""
    if genotype is None or genotype.method in UNSEARCHED:
        return None
    return count_parameters(build_searched(job.system, genotype, data.shape))
