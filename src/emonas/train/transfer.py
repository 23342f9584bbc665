"""Apply a trained system to another corpus; what is changed there trains nothing again."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from emonas.jobs import report_line
from emonas.learning.devices import prepare
from emonas.learning.options import RuntimeOptions
from emonas.storage.predictions import read_predictions, write_predictions
from emonas.storage.weights import read_weights
from emonas.systems.learnt_shape import learnt_parts, learnt_shape
from emonas.systems.material import Material
from emonas.systems.predicting import Hearing, predict_list
from emonas.systems.trained import TrainedFiles, load_network, load_normaliser


@dataclass(frozen=True, kw_only=True)
class TransferJob:
    """A trained system of one fold and seed, its predictions, and the list of another corpus."""

    trained: TrainedFiles
    predictions: Path
    part: Path
    material: Material
    runtime: RuntimeOptions


def predict_transfer(job: TransferJob, output: Path) -> None:
    """Predict the listed utterances, as the part `test` of the output.

    Raises:
        EmonasError: an input is damaged or does not fit the system.
    """
    device = prepare(job.runtime, 0)
    system = job.trained.system
    heard = [read_predictions(job.predictions, part) for part in learnt_parts(system)]
    classes = heard[0].classes
    hearing = Hearing(
        system=system,
        material=job.material,
        classes=classes,
        normaliser=load_normaliser(read_weights(job.trained.weights)),
        shape=learnt_shape(system, job.material, heard),
    )
    network = load_network(job.trained, hearing.shape).to(device)
    predicted = predict_list(network, hearing, job.part, device)
    write_predictions(output, {"test": predicted})
    report_line(f"{len(predicted.utterances)} utterances predicted")
