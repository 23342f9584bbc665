"""The same runs scored under habits of the field that inflate scores."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from statistics import fmean

import numpy as np

from emonas.evaluate.counts import Spoken
from emonas.evaluate.intervals import draw, intervals_of
from emonas.evaluate.resampling import Mean
from emonas.evaluate.runs import Run, Speakers, all_labels, by_seed, scored_run, spoken, together
from emonas.evaluate.scores import score
from emonas.storage.inflated import BEST_SEED, POOLED, TRAINED_HABITS
from emonas.storage.metrics import Inflated
from emonas.storage.predictions import predicted_parts

Both = tuple[float, float]
"""UA and WA."""
_Sides = tuple[Mean[Spoken], Mean[Spoken]]
"""With a habit, and without."""


_DIGITS = 12


def inflated_scores(runs: Sequence[Run], speakers: Speakers, pooled: bool) -> dict[str, Inflated]:
    """Scores by habit, of those habits that the files of the runs can tell.

    The score without a habit is the system's own mean, and that without pooling the mean over
    folds. What a habit adds has a paired interval: both sides are of the same draw of speakers,
    seeds and, where they share speakers, folds. Of the best seed the choice is part of the habit,
    so every draw repeats it: the seed of the highest UA among those drawn.
    """
    honest, found = _mean(runs, pooled), {}
    groups = spoken(runs, speakers)
    own = Mean(groups, pooled)
    sides: dict[str, _Sides] = {}
    seeds = list(by_seed(runs).values())
    if len(seeds) > 1:
        # The best by UA, with the WA that goes with it.
        found[BEST_SEED] = _inflated(max(_mean(group, pooled) for group in seeds), honest)
        sides[BEST_SEED] = Mean(groups, pooled, best=True), own
    if len({run.files.fold for run in runs}) > 1:
        found[POOLED] = _inflated(_mean(runs, True), _mean(runs, False))
        sides[POOLED] = Mean(groups, pooled=True), Mean(groups)
    labels = set(all_labels(runs))
    for habit, again in _trained(runs):
        found[habit] = _inflated(_mean(again, pooled), honest)
        sides[habit] = Mean(spoken(again, speakers), pooled), own
        labels |= set(all_labels(again))
    return _with_intervals(found, sides, sorted(labels))


def _with_intervals(
    found: Mapping[str, Inflated], sides: Mapping[str, _Sides], labels: Sequence[str]
) -> dict[str, Inflated]:
    """What the habits add, with the intervals of that where all speakers are known."""
    drawn = draw([mean for both in sides.values() for mean in both], labels) if sides else None
    if drawn is None:
        return dict(found)
    # The best seed is never worse: without rounding, it would be by the last digit of a double.
    added = dict(zip(sides, np.round(drawn[0::2] - drawn[1::2], _DIGITS), strict=True))
    intervals = {habit: intervals_of(points) for habit, points in added.items()}
    return {
        habit: scores.model_copy(
            update={"ua_interval": intervals[habit].ua, "wa_interval": intervals[habit].wa}
        )
        for habit, scores in found.items()
    }


def _trained(runs: Sequence[Run]) -> Iterator[tuple[str, list[Run]]]:
    """The runs after training under each habit, where there was such training."""
    files = [(run.files, run.files.inflated) for run in runs]
    kept = [(of, path) for of, path in files if path is not None]
    parts = predicted_parts(kept[0][1]) if kept else ()
    for habit in TRAINED_HABITS:
        if habit in parts:
            yield habit, [scored_run(of, path, habit) for of, path in kept]


def _mean(runs: Sequence[Run], pooled: bool) -> Both:
    """UA and WA as the mean over seeds: of what all folds predict together, or the mean of them."""
    return _averaged(
        _score(group) if pooled else _averaged([_score([run]) for run in group])
        for group in by_seed(runs).values()
    )


def _score(runs: Sequence[Run]) -> Both:
    scores = score(*together(runs))
    return scores.ua, scores.wa


def _averaged(scores: Iterable[Both]) -> Both:
    uas, was = zip(*scores, strict=True)
    return fmean(uas), fmean(was)


def _inflated(reached: Both, honest: Both) -> Inflated:
    return Inflated(ua=reached[0], wa=reached[1], honest_ua=honest[0], honest_wa=honest[1])
