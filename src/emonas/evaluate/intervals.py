"""How far a score depends on who was tested and on the chance in training: bootstrap intervals."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from emonas.evaluate.counts import (
    Counts,
    Misheard,
    Spoken,
    rate_of,
    speaker_counts,
    speaker_edits,
    ua_of,
    wa_of,
)
from emonas.evaluate.resampling import Group, Mean, drawn_scores

LEVEL = 0.95
FEWEST = 5
"""Speakers: of fewer the draws are too much alike to tell anything (ours)."""
Interval = tuple[float, float]


@dataclass(frozen=True)
class Intervals:
    """Lower and upper bounds of UA and WA."""

    ua: Interval
    wa: Interval


def bootstrap_intervals(
    groups: Sequence[Spoken], labels: Sequence[str], pooled: bool = False
) -> Intervals | None:
    """95% intervals of the mean over groups of UA and WA, by percentile bootstrap; where they are
    `pooled`, of a seed's predictions together.

    Speakers are drawn with replacement, each with all of its predictions, and seeds beside them.
    Folds come with their speakers, and a fold counts as often as those were drawn, on average:
    with one speaker a fold, that is the bootstrap over folds. Where a speaker is tested in several
    folds, folds are drawn as seeds are.

    Returns:
        None where a speaker is not known, or there are fewer than `FEWEST`.
    """
    drawn = draw([Mean(groups, pooled)], labels)
    return None if drawn is None else intervals_of(drawn[0])


def bootstrap_rate(groups: Sequence[Misheard], pooled: bool = False) -> Interval | None:
    """95% interval of the mean over groups of an error rate, drawn as those of UA and WA are.

    Returns:
        None where a speaker is not known, or there are fewer than `FEWEST`.
    """
    if not _can_be_drawn(groups):
        return None
    counts = speaker_edits(_names(groups), groups)
    return _bounds(drawn_scores([Mean(groups, pooled)], [counts], [rate_of])[0, 0])


def draw(means: Sequence[Mean[Spoken]], labels: Sequence[str]) -> Counts | None:
    """UA and WA of several means under the same draws, (means, 2, draws): the difference of two is
    that of the same speakers, seeds and folds, as far as both have them. A speaker of one alone is
    drawn too.

    Returns:
        None where a speaker is not known, or any of the means has fewer than `FEWEST`.
    """
    if not all(_can_be_drawn(mean.groups) for mean in means):
        return None
    names = _names([group for mean in means for group in mean.groups])
    counts = [speaker_counts(names, mean.groups, labels) for mean in means]
    return drawn_scores(means, counts, (ua_of, wa_of))


def intervals_of(drawn: Counts) -> Intervals:
    """The 95% intervals of UA and WA, or of a difference in them, of what was drawn: (2, draws)."""
    return Intervals(ua=_bounds(drawn[0]), wa=_bounds(drawn[1]))


def _names(groups: Sequence[Group]) -> list[str]:
    return sorted({speaker for group in groups for speaker in group.speakers})


def _can_be_drawn(groups: Sequence[Group]) -> bool:
    names = _names(groups)
    return len(names) >= FEWEST and "" not in names


def _bounds(drawn: Counts) -> Interval:
    low, high = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)
