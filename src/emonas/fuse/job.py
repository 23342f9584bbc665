"""Fuse trained streams of one fold and seed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from emonas.fuse.joint import JointInputs, joint_sources
from emonas.fuse.options import FusionOptions
from emonas.fuse.sources import Sources, frozen_sources
from emonas.jobs import Progress
from emonas.learning.batches import Batches
from emonas.learning.job import LearningJob
from emonas.learning.loop import Outcome, Plan, fit
from emonas.learning.objectives import CrossEntropy
from emonas.learning.resume import ResumePoint
from emonas.learning.seeds import seed_of
from emonas.learning.supervised import SupervisedLearner, class_weights
from emonas.storage.cost import NetworkCost, read_network_cost
from emonas.systems.normalising import Normaliser
from emonas.systems.outputs import SystemOutputs, network_cost, predict_part, write_outputs
from emonas.systems.trained import system_weights


@dataclass(frozen=True, kw_only=True)
class FuseJob(LearningJob):
    """One fused system, fold and seed; `predictions` and `costs` of its streams by name, and what
    `joint: true` needs besides.
    """

    options: FusionOptions
    predictions: Mapping[str, Path]
    costs: Mapping[str, Path]
    joint: JointInputs | None = None


def fuse_streams(job: FuseJob, outputs: SystemOutputs) -> None:
    """Train the fusion on the streams' outputs for the training part, predict every part.

    Raises:
        EmonasError: the streams do not hold the same utterances, or an input is damaged.
    """
    device = job.prepare()
    if job.joint is None:
        sources = frozen_sources(job.options, job.predictions)
    else:
        sources = joint_sources(job.options, job.joint)
    inputs = [*job.predictions.values(), *(job.joint.paths if job.joint else [])]
    with job.resume_point("fuse", inputs, system=job.options) as resume:
        learner = _learner(job, sources, device)
        outcome = _learn(job, sources, learner, resume)
        parts = {
            part: predict_part(
                sources.network,
                table,
                sources.examples[part],
                sources.classes,
                job.options.training.batch,
                device,
            )
            for part, table in sources.tables.items()
        }
        weights = system_weights(sources.network, Normaliser())
        write_outputs(outputs, parts, weights, outcome, _cost(job, sources))


def _learner(job: FuseJob, sources: Sources, device: torch.device) -> SupervisedLearner:
    options = job.options.training
    labels = sources.examples["train"].labels
    weights = class_weights(labels, len(sources.classes)) if options.class_weights else None
    return SupervisedLearner(sources.network, options, device, CrossEntropy(options, weights))


def _learn(
    job: FuseJob, sources: Sources, learner: SupervisedLearner, resume: ResumePoint
) -> Outcome:
    options = job.options.training
    validation = sources.examples["validation"]
    validation = validation.take(np.flatnonzero(validation.labels >= 0))
    seed = seed_of(job.seed, job.name, "batches")
    return fit(
        learner,
        Batches(sources.examples["train"], options.batch, seed, shuffle=True),
        Batches(validation, options.batch) if len(validation) else None,
        Plan(options.epochs, options.select, options.patience),
        resume=resume,
        progress=Progress(f"fuse {job.name}", options.epochs),
    )


def _cost(job: FuseJob, sources: Sources) -> NetworkCost:
    """The fusion's own cost and that of its streams, added up."""
    own = network_cost(sources.network, sources.examples["train"], None)
    streams = [read_network_cost(path) for path in job.costs.values()]
    derived, macs = sum(s.derived for s in streams), sum(s.macs for s in streams)
    if job.joint is None:
        own = NetworkCost(None, own.derived + derived, own.macs + macs, own.example)
    searched = sum(s.search or s.derived for s in streams) + own.derived - derived
    return NetworkCost(
        search=searched if any(s.search for s in streams) else None,
        derived=own.derived,
        macs=own.macs,
        example=[shape for stream in streams for shape in stream.example],
    )
