"""What every trained system leaves, a fused one too: predictions, weights, history and cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pandas as pd
import torch

from emonas.learning.supervised import apply_network
from emonas.storage.cost import NetworkCost, write_epoch_costs, write_network_cost
from emonas.storage.predictions import Predictions, write_predictions
from emonas.storage.tables import write_rows
from emonas.storage.weights import write_weights
from emonas.systems.building import count_parameters
from emonas.systems.computing import utterance_macs
from emonas.systems.task_outputs import Asked, task_predictions

if TYPE_CHECKING:
    from torch import Tensor, nn

    from emonas.learning.batches import Examples
    from emonas.learning.loop import Outcome


class Long(NamedTuple):
    """Utterances of all parts that are longer than the system allows: how many were cut, and how
    many were left out of training.
    """

    shortened: int
    left_out: int


NONE_LONG = Long(0, 0)


@dataclass(frozen=True)
class SystemOutputs:
    """Paths of one fold and seed of a system."""

    predictions: Path
    history: Path
    costs: Path
    cost: Path
    weights: Path


def predict_part(
    network: nn.Module,
    table: pd.DataFrame,
    examples: Examples,
    classes: tuple[str, ...],
    size: int,
    device: torch.device,
    asked: Asked | None = None,
) -> Predictions:
    """Apply a network to the utterances of a part; `examples` are in the table's order, and so is
    what is `asked` of tasks beside the classes.
    """
    if not len(table):
        return no_predictions(classes)
    output = apply_network(network, examples, size, device)
    tasks = output.tasks if asked else None
    return Predictions(
        utterances=tuple(table["utterance"]),
        corpora=tuple(table["corpus"]),
        labels=tuple(table["label"]),
        classes=classes,
        logits=output.logits.numpy(),
        embedding=output.embedding.numpy(),
        domains=tuple(table["domain"]) if table["domain"].any() else (),
        gates=None if output.gates is None else output.gates.numpy(),
        tasks=task_predictions(tasks, asked, len(table)) if tasks and asked else {},
    )


def no_predictions(classes: tuple[str, ...]) -> Predictions:
    """Those for a part without utterances."""
    empty = torch.zeros(0, len(classes)).numpy()
    return Predictions((), (), (), classes, empty, torch.zeros(0, 1).numpy())


def write_outputs(
    outputs: SystemOutputs,
    parts: Mapping[str, Predictions],
    weights: Mapping[str, Tensor],
    outcome: Outcome,
    cost: NetworkCost,
) -> None:
    """Write all files of one fold and seed."""
    rows = [{**row, "kept": int(row["epoch"] == outcome.best_epoch)} for row in outcome.history]
    write_rows(outputs.history, rows, None if rows else ("epoch", "kept"))
    write_epoch_costs(outputs.costs, outcome.costs)
    write_network_cost(outputs.cost, cost)
    write_weights(outputs.weights, weights)
    write_predictions(outputs.predictions, parts)


def network_cost(
    network: nn.Module, example: Examples, searched: int | None, long: Long = NONE_LONG
) -> NetworkCost:
    """Weights, and the multiply-accumulates of one utterance as torch counts them; and what became
    of utterances that are longer than the system allows.
    """
    shapes = [list(stream[0].shape) for stream in example.streams]
    macs = utterance_macs(network, example)
    return NetworkCost(searched, count_parameters(network), macs, shapes, *long)
