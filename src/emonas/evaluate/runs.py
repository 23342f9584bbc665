"""The runs of a system: their files, predictions and scores, and figures over them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from statistics import fmean

from emonas.errors import EmonasError
from emonas.evaluate.counts import Spoken
from emonas.evaluate.intervals import bootstrap_intervals, draw, intervals_of
from emonas.evaluate.resampling import Mean
from emonas.evaluate.scores import Scores, confusion, score, spread
from emonas.storage.metrics import Figure, FoldScore
from emonas.storage.predictions import Predictions, read_predictions

Speakers = Mapping[tuple[str, str], str]
"""Who speaks, by corpus and utterance; without those who are not known."""


@dataclass(frozen=True)
class RunFiles:
    """The files of one fold and seed of a trained or fused system; `transfer` are its predictions
    for other corpora, `inflated` those after training under habits that inflate scores.
    """

    fold: str
    seed: int
    predictions: Path
    cost: Path
    transfer: Mapping[str, Path] = field(default_factory=dict)
    inflated: Path | None = None


@dataclass(frozen=True)
class Run:
    """One fold and seed, with its predictions for one part; scores of emotion, if it tells any."""

    files: RunFiles
    test: Predictions
    scores: Scores | None

    @property
    def utterances(self) -> list[tuple[str, str]]:
        """Corpus and name of each utterance."""
        return list(zip(self.test.corpora, self.test.utterances, strict=True))


def read_run(files: RunFiles, corpus: str | None = None) -> Run:
    """Read and score what a run predicts for its test part, or for another corpus.

    Raises:
        EmonasError: the file is damaged, or the part is empty.
    """
    path = files.predictions if corpus is None else files.transfer[corpus]
    return scored_run(files, path, "test")


def scored_run(files: RunFiles, path: Path, part: str) -> Run:
    """Read and score one part of a file of predictions.

    Raises:
        EmonasError: the file is damaged, or the part is empty.
    """
    test = read_predictions(path, part)
    if not test.labels:
        raise EmonasError(f"{path}: the test part is empty; check the protocol")
    return Run(files, test, score(test.labels, test.predicted) if test.classes else None)


def all_labels(runs: Iterable[Run]) -> list[str]:
    """Every class that a run can predict or that was uttered."""
    named = chain.from_iterable((*run.test.classes, *run.test.labels) for run in runs)
    return sorted(set(named))


def confusions(runs: Iterable[Run], labels: Sequence[str]) -> list[list[int]]:
    """Counts (true, predicted) of all runs together."""
    counts: list[list[int]] = confusion(*together(runs), labels).tolist()
    return counts


def figures(
    runs: Sequence[Run], labels: Sequence[str], speakers: Speakers, pooled: bool, repeated: bool
) -> dict[str, Figure]:
    """UA and WA, with their intervals where all speakers are known."""
    found = {metric: figure(runs, metric, pooled, repeated) for metric in ("ua", "wa")}
    groups = spoken(runs, speakers)
    means = [Mean(groups, pooled), Mean(groups)] if pooled else [Mean(groups)]
    drawn = draw(means, labels)
    if drawn is None:
        return found
    own, of_folds = intervals_of(drawn[0]), intervals_of(drawn[-1])
    return {
        metric: reached.model_copy(
            update={
                "interval": getattr(own, metric),
                "folds_interval": getattr(of_folds, metric),
            }
        )
        for metric, reached in found.items()
    }


def spoken(runs: Iterable[Run], speakers: Speakers) -> list[Spoken]:
    """What each run predicts, and of whom."""
    return [
        Spoken(
            [speakers.get(key, "") for key in run.utterances],
            run.test.labels,
            run.test.predicted,
            seed=run.files.seed,
            fold=run.files.fold,
        )
        for run in runs
    ]


def figure(runs: Sequence[Run], metric: str, pooled: bool, repeated: bool = False) -> Figure:
    """`ua` or `wa`, without intervals."""
    groups = list(by_seed(runs).values())
    by_fold: dict[str, list[float]] = {}
    for run in runs:
        by_fold.setdefault(run.files.fold, []).append(getattr(run.scores, metric))
    folds = [fmean(values) for values in by_fold.values()]
    if pooled:
        seeds = [getattr(score(*together(group)), metric) for group in groups]
    else:
        seeds = [fmean(getattr(run.scores, metric) for run in group) for group in groups]
    return Figure(
        mean=fmean(seeds),
        std=spread(folds if repeated else seeds),
        folds_mean=fmean(folds),
        folds_std=spread(folds),
    )


def by_seed(runs: Iterable[Run]) -> dict[int, list[Run]]:
    """The runs of each seed."""
    found: dict[int, list[Run]] = {}
    for run in runs:
        found.setdefault(run.files.seed, []).append(run)
    return found


def fold_scores(runs: Sequence[Run], speakers: Speakers) -> list[FoldScore]:
    """The scores of each run, with intervals over its own speakers."""
    labels = all_labels(runs)
    return [
        _fold_score(run, heard, labels)
        for run, heard in zip(runs, spoken(runs, speakers), strict=True)
    ]


def _fold_score(run: Run, heard: Spoken, labels: Sequence[str]) -> FoldScore:
    known = set(heard.speakers)
    intervals = bootstrap_intervals([heard], labels) if run.scores else None
    return FoldScore(
        fold=run.files.fold,
        seed=run.files.seed,
        ua=None if run.scores is None else run.scores.ua,
        wa=None if run.scores is None else run.scores.wa,
        utterances=len(run.test.labels),
        classes=len(set(run.test.labels)),
        speakers=None if "" in known else len(known),
        ua_interval=intervals and intervals.ua,
        wa_interval=intervals and intervals.wa,
    )


def together(runs: Iterable[Run]) -> tuple[list[str], list[str]]:
    """The true and the predicted labels of several runs, one after another."""
    kept = list(runs)
    true = chain.from_iterable(run.test.labels for run in kept)
    return list(true), list(chain.from_iterable(run.test.predicted for run in kept))
