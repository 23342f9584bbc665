"""The same training under habits of the field that inflate scores, to measure how much they do."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch

from emonas.jobs import report_line
from emonas.learning.resume import ResumePoint
from emonas.storage.genotype import AnyGenotype, read_genotype
from emonas.storage.inflated import SCALED
from emonas.storage.predictions import Predictions, write_predictions
from emonas.systems.inflatable import inflating_habits
from emonas.systems.options import TrainedOptions
from emonas.systems.predicting import Hearing, predict_list
from emonas.train.job import TrainJob, learn


def train_inflated(job: TrainJob, output: Path) -> None:
    """Train once under each habit that the system can have, with the seeds of its own training,
    and write what is predicted for the test part, a part of the file a habit.

    Raises:
        EmonasError: an input is damaged or does not fit the system.
    """
    genotype = None if job.genotype is None else read_genotype(job.genotype)
    found: dict[str, Predictions] = {}
    with job.resume_point("train", _inputs(job), system=job.system) as resume:
        for habit in inflating_habits(job.system):
            report_line(f"training again: {habit}")
            found[habit] = _tested(_under(job, habit), genotype, resume.part(habit))
    write_predictions(output, found)


def _inputs(job: TrainJob) -> list[Path]:
    found = [path for path in (job.genotype, job.start) if path is not None]
    return [*job.parts.values(), *job.material.files, *found]


def _under(job: TrainJob, habit: str) -> TrainJob:
    """The job with its test part where that should have no part."""
    test = job.parts["test"]
    if habit == SCALED:
        return replace(job, scaled_over=(job.parts["validation"], test))
    system = job.system
    if isinstance(system, TrainedOptions):
        training = system.training.model_copy(update={"select": "validation_ua"})
        system = system.model_copy(update={"training": training})
    return replace(job, chosen_on=test, system=system)


def _tested(job: TrainJob, genotype: AnyGenotype | None, resume: ResumePoint) -> Predictions:
    # Each begins with the seeds of the training itself.
    device: torch.device = job.prepare()
    learnt = learn(job, genotype, device, resume)
    data = learnt.data
    hearing = Hearing(job.system, job.material, data.classes, data.normaliser, data.shape)
    predicted = predict_list(learnt.network, hearing, job.parts["test"], device)
    return replace(predicted, embedding=predicted.embedding[:, :0], tasks={})
