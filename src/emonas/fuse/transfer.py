"""Apply a fused system to another corpus; what is changed there fuses nothing again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from emonas.fuse.joint import JointInputs, joint_sources
from emonas.fuse.options import FusionOptions
from emonas.fuse.sources import frozen_sources
from emonas.jobs import report_line
from emonas.learning.devices import prepare
from emonas.learning.options import RuntimeOptions
from emonas.storage.predictions import write_predictions
from emonas.systems.outputs import predict_part
from emonas.systems.trained import take_weights


@dataclass(frozen=True, kw_only=True)
class FuseTransferJob:
    """A fused system of one fold and seed: its weights, what its streams predict for the other
    corpus, and for `joint: true` the streams with the lists of the training part and, as `test`, of
    the other corpus.
    """

    options: FusionOptions
    weights: Path
    predictions: Mapping[str, Path]
    runtime: RuntimeOptions
    joint: JointInputs | None = None


def fuse_transfer(job: FuseTransferJob, output: Path) -> None:
    """Predict the listed utterances, as the part `test` of the output.

    Raises:
        EmonasError: the streams do not hold the same utterances, or an input is damaged.
    """
    device = prepare(job.runtime, 0)
    if job.joint is None:
        sources = frozen_sources(job.options, job.predictions, ("test",))
    else:
        sources = joint_sources(job.options, job.joint)
    take_weights(sources.network, job.weights)
    predicted = predict_part(
        sources.network,
        sources.tables["test"],
        sources.examples["test"],
        sources.classes,
        job.options.training.batch,
        device,
    )
    write_predictions(output, {"test": predicted})
    report_line(f"{len(predicted.utterances)} utterances predicted")
