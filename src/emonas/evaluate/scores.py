"""UA, WA and confusion of predicted against true labels."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sklearn.metrics import accuracy_score, confusion_matrix, recall_score


@dataclass(frozen=True)
class Scores:
    """UA and WA of one set of predictions, as fractions, and what they were computed from."""

    ua: float
    wa: float
    utterances: int
    classes: int


def score(true: Sequence[str], predicted: Sequence[str]) -> Scores:
    """Score predictions.

    UA is the mean of the recalls of the classes that occur among the true labels: a class that
    nobody uttered has no recall. WA is plain accuracy.
    """
    present = sorted(set(true))
    recalls = recall_score(true, predicted, labels=present, average=None, zero_division=0)
    return Scores(
        ua=float(np.mean(recalls)),
        wa=float(accuracy_score(true, predicted)),
        utterances=len(true),
        classes=len(present),
    )


def confusion(
    true: Sequence[str], predicted: Sequence[str], labels: Sequence[str]
) -> npt.NDArray[np.int64]:
    """Count (true, predicted) as (classes, classes), in the order of `labels`."""
    counts = confusion_matrix(true, predicted, labels=list(labels))
    return np.asarray(counts, dtype=np.int64)


def spread(values: Sequence[float]) -> float:
    """The sample standard deviation (divisor n - 1); 0 for a single value."""
    return float(np.std(values, ddof=1)) if len(values) > 1 else 0.0
