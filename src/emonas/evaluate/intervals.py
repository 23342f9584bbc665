"""How far a score depends on who was tested: intervals by bootstrap over speakers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import bootstrap

from emonas.evaluate.scores import confusion

RESAMPLES = 2000
LEVEL = 0.95
FEWEST = 5
"""Speakers: of fewer the draws are too much alike to tell anything (ours)."""
Counts = npt.NDArray[np.float64]
Metric = Callable[[Counts], Counts]


@dataclass(frozen=True)
class Spoken:
    """Predictions that are scored together: who speaks (empty where it is not known), and the true
    and the predicted labels, an entry a prediction.
    """

    speakers: Sequence[str]
    true: Sequence[str]
    predicted: Sequence[str]


@dataclass(frozen=True)
class Intervals:
    """Lower and upper bounds of UA and WA."""

    ua: tuple[float, float]
    wa: tuple[float, float]


def speaker_intervals(groups: Sequence[Spoken], labels: Sequence[str]) -> Intervals | None:
    """95% intervals of the mean over groups of UA and WA, by percentile bootstrap: speakers are
    drawn with replacement, each with all of its predictions. A group counts as often as its
    speakers were drawn, on average: with one speaker a group, that is the bootstrap over groups.

    Returns:
        None where a speaker is not known, or there are fewer than `FEWEST`.
    """
    names = sorted({speaker for group in groups for speaker in group.speakers})
    if len(names) < FEWEST or "" in names:
        return None
    counts = np.stack([[_counts(name, group, labels) for group in groups] for name in names])
    return Intervals(ua=_interval(counts, _ua), wa=_interval(counts, _wa))


def _counts(name: str, group: Spoken, labels: Sequence[str]) -> Counts:
    """The confusions of one speaker in a group, (classes, classes)."""
    rows = [row for row, speaker in enumerate(group.speakers) if speaker == name]
    if not rows:
        return np.zeros((len(labels), len(labels)))
    own = [group.true[row] for row in rows], [group.predicted[row] for row in rows]
    return confusion(*own, labels).astype(np.float64)


def _interval(counts: Counts, metric: Metric) -> tuple[float, float]:
    """Of a metric's mean over groups; `counts` is (speakers, groups, classes, classes)."""
    shares = (counts.sum(axis=(2, 3)) > 0).astype(np.float64)
    shares /= shares.sum(axis=0)

    def drawn(indices: npt.NDArray[np.int64], axis: int) -> Counts:
        times = np.stack([(indices == row).sum(axis=axis) for row in range(len(counts))], axis=-1)
        weights = times @ shares
        scores = metric(np.tensordot(times.astype(np.float64), counts, axes=1))
        return np.asarray((scores * weights).sum(axis=-1) / weights.sum(axis=-1))

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


def _ua(counts: Counts) -> Counts:
    """The mean of the recalls of the classes that were uttered, of (..., classes, classes); 0
    where nothing was.
    """
    totals = counts.sum(axis=-1)
    right = np.diagonal(counts, axis1=-2, axis2=-1)
    recalls = np.divide(right, totals, out=np.zeros_like(right), where=totals > 0)
    return np.asarray(recalls.sum(axis=-1) / np.maximum((totals > 0).sum(axis=-1), 1))


def _wa(counts: Counts) -> Counts:
    """The share of right predictions, of (..., classes, classes); 0 where there are none."""
    right = np.trace(counts, axis1=-2, axis2=-1)
    return np.asarray(right / np.maximum(counts.sum(axis=(-2, -1)), 1))
