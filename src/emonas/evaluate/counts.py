"""UA and WA of many confusions at once, and the confusions of each speaker."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Counts = npt.NDArray[np.float64]
Metric = Callable[[Counts], Counts]


@dataclass(frozen=True)
class Spoken:
    """The predictions of one seed and fold: who speaks (empty where it is not known), and the true
    and the predicted labels, an entry a prediction.
    """

    speakers: Sequence[str]
    true: Sequence[str]
    predicted: Sequence[str]
    seed: int = 0
    fold: str = ""


@dataclass(frozen=True)
class Misheard:
    """What was recognised with one seed and fold: who speaks, and `counts` (utterances, 2), the
    edits and how many words or characters were said.
    """

    speakers: Sequence[str]
    counts: npt.NDArray[np.int64]
    seed: int = 0
    fold: str = ""


def speaker_edits(names: Sequence[str], groups: Sequence[Misheard]) -> Counts:
    """Edits and lengths of each speaker in each group, (speakers, groups, 1, 2)."""
    found = np.zeros((len(names), len(groups), 1, 2))
    for number, group in enumerate(groups):
        for speaker, counts in zip(group.speakers, group.counts, strict=True):
            found[names.index(speaker), number, 0] += counts
    return found


def speaker_counts(names: Sequence[str], groups: Sequence[Spoken], labels: Sequence[str]) -> Counts:
    """The confusions of each speaker in each group, (speakers, groups, classes, classes)."""
    found = np.zeros((len(names), len(groups), len(labels), len(labels)))
    rows = {name: row for row, name in enumerate(names)}
    classes = {label: number for number, label in enumerate(labels)}
    for number, group in enumerate(groups):
        speakers = [rows[name] for name in group.speakers]
        true, predicted = ([classes[label] for label in of] for of in (group.true, group.predicted))
        np.add.at(found, (speakers, number, true, predicted), 1)
    return found


def ua_of(counts: Counts) -> Counts:
    """The mean of the recalls of the classes that were uttered, of (..., classes, classes); 0
    where nothing was.
    """
    totals = counts.sum(axis=-1)
    right = np.diagonal(counts, axis1=-2, axis2=-1)
    recalls = np.divide(right, totals, out=np.zeros_like(right), where=totals > 0)
    return np.asarray(recalls.sum(axis=-1) / np.maximum((totals > 0).sum(axis=-1), 1))


def rate_of(counts: Counts) -> Counts:
    """Edits by what was said, of (..., 1, 2); 0 where nothing was."""
    return np.asarray(counts[..., 0, 0] / np.maximum(counts[..., 0, 1], 1))


def wa_of(counts: Counts) -> Counts:
    """The share of right predictions, of (..., classes, classes); 0 where there are none."""
    right = np.trace(counts, axis1=-2, axis2=-1)
    return np.asarray(right / np.maximum(counts.sum(axis=(-2, -1)), 1))
