"""How far a score depends on who was tested and on the chance in training: bootstrap intervals."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import bootstrap

from emonas.evaluate.counts import (
    Counts,
    Metric,
    Misheard,
    Spoken,
    rate_of,
    speaker_counts,
    speaker_edits,
    ua_of,
    wa_of,
)

RESAMPLES = 2000
LEVEL = 0.95
FEWEST = 5
"""Speakers: of fewer the draws are too much alike to tell anything (ours)."""


@dataclass(frozen=True)
class Intervals:
    """Lower and upper bounds of UA and WA."""

    ua: tuple[float, float]
    wa: tuple[float, float]


def bootstrap_intervals(groups: Sequence[Spoken], labels: Sequence[str]) -> Intervals | None:
    """95% intervals of the mean over groups of UA and WA, by percentile bootstrap.

    Speakers are drawn with replacement, each with all of its predictions, and seeds beside them.
    Folds come with their speakers, and a fold counts as often as those were drawn, on average:
    with one speaker a fold, that is the bootstrap over folds. Where a speaker is tested in several
    folds, folds are drawn as seeds are.

    Returns:
        None where a speaker is not known, or there are fewer than `FEWEST`.
    """
    names = _names(groups)
    if not names:
        return None
    counts, drawn = speaker_counts(names, groups, labels), _chances(groups)
    return Intervals(ua=_interval(counts, drawn, ua_of), wa=_interval(counts, drawn, wa_of))


def bootstrap_rate(groups: Sequence[Misheard]) -> tuple[float, float] | None:
    """95% interval of the mean over groups of an error rate, drawn as those of UA and WA are.

    Returns:
        None where a speaker is not known, or there are fewer than `FEWEST`.
    """
    names = _names(groups)
    return _interval(speaker_edits(names, groups), _chances(groups), rate_of) if names else None


def _names(groups: Sequence[Spoken] | Sequence[Misheard]) -> list[str]:
    """The speakers; none where they can't be drawn."""
    names = sorted({speaker for group in groups for speaker in group.speakers})
    return [] if len(names) < FEWEST or "" in names else names


def _chances(groups: Sequence[Spoken] | Sequence[Misheard]) -> list[Counts]:
    """What is drawn beside speakers: whether a group is of it, (seeds or folds, groups)."""
    chances = [_members([group.seed for group in groups])]
    if _share_speakers(groups):
        chances.append(_members([group.fold for group in groups]))
    return [members for members in chances if len(members) > 1]


def _share_speakers(groups: Sequence[Spoken] | Sequence[Misheard]) -> bool:
    """Whether any speaker is tested in several folds."""
    tested = {(speaker, group.fold) for group in groups for speaker in group.speakers}
    return len(tested) > len({speaker for speaker, _ in tested})


def _members(keys: Sequence[Hashable]) -> Counts:
    """Whether a group is of a key, (keys, groups)."""
    return np.array([[own == key for own in keys] for key in dict.fromkeys(keys)], np.float64)


def _interval(counts: Counts, chances: Sequence[Counts], metric: Metric) -> tuple[float, float]:
    """Of a metric's mean over groups; `counts` is (speakers, groups, classes, classes) or, of error
    rates, (speakers, groups, 1, 2), and each of `chances` (seeds or folds, groups).
    """
    shares = (counts.sum(axis=(2, 3)) > 0).astype(np.float64)
    shares /= shares.sum(axis=0)

    def drawn(*indices: npt.NDArray[np.int64], axis: int) -> Counts:
        speakers = _times(indices[0], len(counts), axis)
        weights = heard = speakers @ shares
        for rows, members in zip(indices[1:], chances, strict=True):
            weights = weights * (_times(rows, len(members), axis) @ members)
        # Nobody was drawn whom the drawn folds test.
        weights = np.where(weights.any(axis=-1, keepdims=True), weights, heard)
        scores = metric(np.tensordot(speakers, counts, axes=1))
        return np.asarray((scores * weights).sum(axis=-1) / weights.sum(axis=-1))

    result = bootstrap(
        [np.arange(len(sample)) for sample in (counts, *chances)],
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


def _times(indices: npt.NDArray[np.int64], number: int, axis: int) -> Counts:
    """How often each of a number of things was drawn, (..., number)."""
    drawn = [(indices == one).sum(axis=axis) for one in range(number)]
    return np.stack(drawn, axis=-1).astype(np.float64)
