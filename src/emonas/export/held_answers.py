"""Whether an exported fold says what the run said, of utterances that the run tested."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from emonas.errors import DamagedFileError, EmonasError
from emonas.export.networks import MISFITS, FoldNetworks
from emonas.storage.folds import read_part
from emonas.storage.predictions import read_predictions
from emonas.storage.problems import first_problem

if TYPE_CHECKING:
    from emonas.checkpoints.checkpoint import Checkpoint
    from emonas.export.contract import ExportedModel
    from emonas.systems.material import FeaturePaths

RUN_AGAIN = "run the workflow again with this settings file, then export"
TOLERANCE = 1e-4
"""What a probability may differ by."""
UTTERANCES = 6
"""So many of a fold are compared."""


def hold_answers(
    folder: Path,
    fold: str,
    model: ExportedModel,
    checkpoints: Mapping[str, Checkpoint],
    features: FeaturePaths,
    test: Path,
    predictions: Path,
) -> None:
    """Hold what a fold of an exported system answers against what the run predicted.

    Args:
        folder: that of the exported system.
        fold: one of its folds.
        model: what its `model.json` says.
        checkpoints: the pretrained weights that its networks begin with.
        features: what the run computed.
        test: the fold's test part.
        predictions: what the run predicted for it.

    Raises:
        EmonasError: they differ, or the weights do not fit, as where options were changed since
            the run; or a file is damaged.
    """
    networks = _networks(folder, fold, model, checkpoints, predictions)
    told = read_predictions(predictions, "test")
    places = {key: row for row, key in enumerate(zip(told.corpora, told.utterances, strict=True))}
    table = read_part(test)
    known = [key in places for key in zip(table["corpus"], table["utterance"], strict=True)]
    if not all(known):
        raise EmonasError(f"{predictions}: lacks utterances of {test}; {RUN_AGAIN}")
    if table.empty:
        return
    chosen = np.unique(np.linspace(0, len(table) - 1, UTTERANCES).astype(int))
    some = table.iloc[chosen].reset_index(drop=True)
    found = networks.predict(features, some).probabilities
    rows = [places[key] for key in zip(some["corpus"], some["utterance"], strict=True)]
    apart = float(np.abs(found - told.probabilities[rows]).max())
    # A number that is none is as far away as can be.
    if not apart <= TOLERANCE:
        raise EmonasError(
            f"{predictions}: {model.system}, with the options that the settings have now, answers "
            f"otherwise than in the run (probabilities differ by up to {apart:.2g}); {RUN_AGAIN}"
        )


def _networks(
    folder: Path,
    fold: str,
    model: ExportedModel,
    checkpoints: Mapping[str, Checkpoint],
    predictions: Path,
) -> FoldNetworks:
    try:
        return FoldNetworks(folder, fold, model, checkpoints, torch.device("cpu"))
    except (DamagedFileError, *MISFITS) as error:
        problem = error.problem if isinstance(error, DamagedFileError) else first_problem(error)
        raise EmonasError(
            f"{predictions}: {model.system}, with the options that the settings have now, can't be "
            f"made of what the run learnt ({problem}); {RUN_AGAIN}"
        ) from error
