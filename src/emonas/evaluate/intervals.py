"""How far a score depends on who was tested: intervals by bootstrap over speakers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.stats import bootstrap

from emonas.evaluate.scores import confusion

RESAMPLES = 2000
LEVEL = 0.95
Counts = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Intervals:
    """Lower and upper bounds of UA and WA."""

    ua: tuple[float, float]
    wa: tuple[float, float]


def speaker_intervals(
    speakers: Sequence[str],
    true: Sequence[str],
    predicted: Sequence[str],
    labels: Sequence[str],
) -> Intervals | None:
    """95% intervals of UA and WA by percentile bootstrap: speakers are drawn with replacement, each
    with all of its predictions.

    An entry is one prediction: an utterance that several models predict has several.

    Args:
        speakers: who speaks; empty where it is not known.
        true: the true labels.
        predicted: the predicted ones.
        labels: all classes.

    Returns:
        None where a speaker is not known, or there are fewer than two.
    """
    names = sorted(set(speakers))
    if len(names) < 2 or "" in names:
        return None
    counts = np.stack([_counts(name, speakers, true, predicted, labels) for name in names])
    return Intervals(ua=_interval(counts, _ua), wa=_interval(counts, _wa))


def _counts(
    name: str,
    speakers: Sequence[str],
    true: Sequence[str],
    predicted: Sequence[str],
    labels: Sequence[str],
) -> Counts:
    """The confusions of one speaker, (classes, classes)."""
    rows = [row for row, speaker in enumerate(speakers) if speaker == name]
    own = [true[row] for row in rows], [predicted[row] for row in rows]
    return confusion(*own, labels).astype(np.float64)


def _interval(counts: Counts, metric: Any) -> tuple[float, float]:
    """Of a metric over the sum of drawn speakers' confusions, (speakers, classes, classes)."""

    def drawn(indices: npt.NDArray[np.int64], axis: int) -> npt.NDArray[np.float64]:
        return np.asarray(metric(counts[indices].sum(axis=-3)))

    result = bootstrap(
        (np.arange(len(counts)),),
        drawn,
        n_resamples=RESAMPLES,
        batch=250,
        vectorized=True,
        confidence_level=LEVEL,
        method="percentile",
        rng=np.random.default_rng(0),
    )
    low, high = result.confidence_interval
    return float(low), float(high)


def _ua(counts: Counts) -> npt.NDArray[np.float64]:
    """The mean of the recalls of the classes that were uttered, of (..., classes, classes)."""
    totals = counts.sum(axis=-1)
    right = np.diagonal(counts, axis1=-2, axis2=-1)
    recalls = np.divide(right, totals, out=np.zeros_like(right), where=totals > 0)
    return np.asarray(recalls.sum(axis=-1) / (totals > 0).sum(axis=-1))


def _wa(counts: Counts) -> npt.NDArray[np.float64]:
    """The share of right predictions, of (..., classes, classes)."""
    right = np.trace(counts, axis1=-2, axis2=-1)
    return np.asarray(right / counts.sum(axis=(-2, -1)))
