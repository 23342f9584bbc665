"""The same runs scored under habits of the field that inflate scores."""

from collections.abc import Iterable, Iterator, Sequence
from statistics import fmean

from emonas.evaluate.runs import Run, by_seed, scored_run, together
from emonas.evaluate.scores import score
from emonas.storage.inflated import BEST_SEED, POOLED, TRAINED_HABITS
from emonas.storage.metrics import Inflated
from emonas.storage.predictions import predicted_parts

Both = tuple[float, float]
"""UA and WA."""


def inflated_scores(runs: Sequence[Run], pooled: bool) -> dict[str, Inflated]:
    """Scores by habit, of those habits that the files of the runs can tell.

    The score without a habit is the system's own mean, and that without pooling the mean over
    folds.
    """
    honest, found = _mean(runs, pooled), {}
    seeds = list(by_seed(runs).values())
    if len(seeds) > 1:
        # The best by UA, with the WA that goes with it.
        found[BEST_SEED] = _inflated(max(_mean(group, pooled) for group in seeds), honest)
    if len({run.files.fold for run in runs}) > 1:
        found[POOLED] = _inflated(_mean(runs, True), _mean(runs, False))
    for habit, again in _trained(runs):
        found[habit] = _inflated(_mean(again, pooled), honest)
    return found


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
