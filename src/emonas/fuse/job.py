"""Fuse trained streams of one fold and seed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from torch import nn

from emonas.errors import EmonasError
from emonas.fuse.options import FusionOptions
from emonas.jobs import Progress
from emonas.learning.batches import Batches, Examples
from emonas.learning.devices import prepare
from emonas.learning.loop import Plan, fit
from emonas.learning.options import RuntimeOptions
from emonas.learning.resume import resume_point
from emonas.learning.seeds import seed_of
from emonas.learning.supervised import SupervisedLearner, class_weights
from emonas.networks.fusion import (
    Concatenation,
    DecisionPerceptron,
    Elementwise,
    FusionClassifier,
    InformationSupplement,
)
from emonas.storage.cost import NetworkCost, read_network_cost
from emonas.storage.folds import PARTS, Part
from emonas.storage.predictions import Predictions, read_predictions
from emonas.systems.outputs import SystemOutputs, network_cost, predict_part, write_outputs


@dataclass(frozen=True)
class FuseJob:
    """One fused system, fold and seed; `predictions` and `costs` of its streams by name."""

    name: str
    options: FusionOptions
    seed: int
    predictions: Mapping[str, Path]
    costs: Mapping[str, Path]
    runtime: RuntimeOptions
    resume: Path
    code: str


def fuse_streams(job: FuseJob, outputs: SystemOutputs) -> None:
    """Train the fusion on the streams' outputs for the training part, predict every part.

    Raises:
        EmonasError: the streams do not hold the same utterances, or an input is damaged.
    """
    device = prepare(job.runtime, seed_of(job.seed, job.name))
    streams = {part: _streams(job, part) for part in PARTS}
    first = streams["train"][0]
    examples = {part: _examples(job.options, streams[part], first.classes) for part in PARTS}
    network = _network(job.options, examples["train"], len(first.classes))
    options = job.options.training
    known = examples["validation"].labels >= 0
    validation = examples["validation"].take(np.flatnonzero(known))
    weights = class_weights(examples["train"].labels, len(first.classes))
    with resume_point(job.resume, "fuse", _key(job), list(job.predictions.values())) as resume:
        outcome = fit(
            SupervisedLearner(network, options, device, weights if options.class_weights else None),
            Batches(
                examples["train"],
                options.batch,
                seed_of(job.seed, job.name, "batches"),
                shuffle=True,
            ),
            Batches(validation, options.batch) if len(validation) else None,
            Plan(options.epochs, options.select, options.patience),
            resume=resume,
            progress=Progress(f"fuse {job.name}", options.epochs),
        )
        parts: dict[str, Predictions] = {
            part: predict_part(
                network,
                _table(streams[part][0]),
                examples[part],
                first.classes,
                options.batch,
                device,
            )
            for part in PARTS
        }
        state = {f"network.{name}": tensor for name, tensor in network.state_dict().items()}
        write_outputs(outputs, parts, state, outcome, _cost(job, network, examples["train"]))


def _key(job: FuseJob) -> dict[str, object]:
    return {
        "name": job.name,
        "seed": job.seed,
        "code": job.code,
        "system": job.options.model_dump(mode="json"),
        "runtime": job.runtime.model_dump(mode="json"),
    }


def _streams(job: FuseJob, part: Part) -> list[Predictions]:
    """The streams' predictions for one part, in the order of the settings."""
    streams = [read_predictions(job.predictions[name], part) for name in job.options.fuse]
    for name, stream in zip(job.options.fuse, streams, strict=True):
        if _heard(stream) != _heard(streams[0]):
            raise EmonasError(
                f"{job.predictions[name]}: other utterances, labels or classes in {part} than "
                f"{job.predictions[job.options.fuse[0]]}; delete both and run again"
            )
    return streams


def _heard(stream: Predictions) -> tuple[tuple[str, ...], ...]:
    return stream.corpora, stream.utterances, stream.labels, stream.classes


def _examples(
    options: FusionOptions, streams: list[Predictions], classes: tuple[str, ...]
) -> Examples:
    numbers = {name: number for number, name in enumerate(classes)}
    labels = [numbers.get(label, -1) for label in streams[0].labels]
    values = [
        stream.probabilities if options.method == "perceptron" else stream.embedding
        for stream in streams
    ]
    arrays = tuple([row[None] for row in value] for value in values)
    return Examples(arrays, np.asarray(labels, dtype=np.int64))


def _network(options: FusionOptions, train: Examples, classes: int) -> nn.Module:
    if options.method == "perceptron":
        return DecisionPerceptron(len(options.fuse), classes)
    widths = tuple(stream[0].shape[1] for stream in train.streams)
    if options.method == "concat":
        return FusionClassifier(Concatenation(widths), classes)
    dominant = options.dominant_index
    if options.method == "ism":
        return FusionClassifier(InformationSupplement(widths, dominant), classes)
    return FusionClassifier(Elementwise(widths, dominant, options.method), classes)


def _table(stream: Predictions) -> pd.DataFrame:
    return pd.DataFrame(
        {"utterance": stream.utterances, "corpus": stream.corpora, "label": stream.labels}
    )


def _cost(job: FuseJob, network: nn.Module, train: Examples) -> NetworkCost:
    """The fusion's own cost and that of its streams, added up."""
    own = network_cost(network, train, None)
    streams = [read_network_cost(path) for path in job.costs.values()]
    return NetworkCost(
        search=sum(stream.search or stream.derived for stream in streams) + own.derived
        if any(stream.search for stream in streams)
        else None,
        derived=own.derived + sum(stream.derived for stream in streams),
        macs=own.macs + sum(stream.macs for stream in streams),
        example=[shape for stream in streams for shape in stream.example],
    )
