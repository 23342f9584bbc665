"""How far a score depends on who was tested: intervals by bootstrap over speakers."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import bootstrap

from emonas.evaluate.counts import Counts, Metric, Spoken, speaker_counts, ua_of, wa_of

RESAMPLES = 2000
LEVEL = 0.95
FEWEST = 5
"""Speakers: of fewer the draws are too much alike to tell anything (ours)."""


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
    counts = speaker_counts(names, groups, labels)
    return Intervals(ua=_interval(counts, ua_of), wa=_interval(counts, wa_of))


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
