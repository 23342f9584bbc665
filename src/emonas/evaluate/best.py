"""Of a system's seeds and folds the weights that reach most on validation, for `keep: best`."""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from emonas.evaluate.scores import score
from emonas.jobs import report_line
from emonas.storage.atomic import whole_file, write_json
from emonas.storage.predictions import read_predictions


class Trained(NamedTuple):
    """What one job left: its seed and fold, such as `seed0/group1`, and its files."""

    job: str
    predictions: Path
    weights: Path


def keep_best(trained: Sequence[Trained], weights: Path, which: Path) -> None:
    """Copy the weights of the best job, and write which it is; of equals the first.

    Where nobody is validated on, or no emotion is told, it is the first of all.

    Raises:
        EmonasError: predictions are missing or damaged.
    """
    scores = [_validation_ua(one.predictions) for one in trained]
    best = int(np.argmax([-1.0 if ua is None else ua for ua in scores]))
    with whole_file(weights) as temporary:
        shutil.copyfile(trained[best].weights, temporary)
    write_json(which, {"job": trained[best].job, "validation_ua": scores[best]})
    report_line(f"kept: the weights of {trained[best].job}, validation UA {scores[best]}")


def _validation_ua(path: Path) -> float | None:
    """UA on the validation part, of those whose class is known; None where there is none."""
    found = read_predictions(path, "validation")
    known = [row for row, label in enumerate(found.labels) if label in found.classes]
    if not known:
        return None
    said = found.logits[known].argmax(axis=1)
    names = [found.classes[number] for number in said]
    return score([found.labels[row] for row in known], names).ua
