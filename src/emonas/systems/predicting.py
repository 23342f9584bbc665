"""Predicting a list of utterances with a trained network, some batches at a time."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from emonas.storage.folds import read_part
from emonas.storage.predictions import Predictions, joined
from emonas.systems.data import heard_answers, load_part
from emonas.systems.material import Material
from emonas.systems.normalising import Normaliser
from emonas.systems.options import SystemOptions
from emonas.systems.outputs import no_predictions, predict_part
from emonas.systems.shapes import NetworkShape
from emonas.systems.task_outputs import Asked

if TYPE_CHECKING:
    import pandas as pd
    import torch
    from torch import nn

    from emonas.learning.batches import Examples

BATCHES_AT_A_TIME = 8


@dataclass(frozen=True)
class Hearing:
    """How a trained system hears: its options, the files, the fold's classes and normaliser, and
    the shape of its network.
    """

    system: SystemOptions
    material: Material
    classes: tuple[str, ...]
    normaliser: Normaliser
    shape: NetworkShape

    def examples(self, table: pd.DataFrame) -> Examples:
        """The utterances of a table as the network hears them."""
        heard = load_part(self.system, self.material, self.classes, self.shape, table)
        return self.normaliser(heard)

    def asked(self, table: pd.DataFrame) -> Asked | None:
        """What the network is asked of the utterances of a table beside their emotion."""
        answers, material = self.shape.tasks, self.material
        if not answers:
            return None
        known = heard_answers(self.system, material, answers, table) if material.manifests else {}
        return Asked(answers, known)


def predict_list(
    network: nn.Module, hearing: Hearing, part: Path, device: torch.device
) -> Predictions:
    """Predict the utterances of a list.

    Raises:
        EmonasError: the list or a feature file is damaged, or an utterance has no features.
    """
    return predict_table(network, hearing, read_part(part), device)


def predict_table(
    network: nn.Module, hearing: Hearing, table: pd.DataFrame, device: torch.device
) -> Predictions:
    """Predict the utterances of a part, in pieces, because a large corpus may not fit into memory.

    Raises:
        EmonasError: a feature file is damaged, or an utterance has no features.
    """
    together = hearing.system.together
    step = BATCHES_AT_A_TIME * together
    pieces = []
    for start in range(0, len(table), step):
        piece = table.iloc[start : start + step]
        examples = hearing.examples(piece)
        asked = hearing.asked(piece)
        found = predict_part(network, piece, examples, hearing.classes, together, device, asked)
        pieces.append(replace(found, gated=hearing.system.gated(hearing.shape.names)))
    return joined(pieces) if pieces else no_predictions(hearing.classes)
