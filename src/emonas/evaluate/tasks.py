"""What a system reaches at the tasks that it learns beside emotion."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from itertools import chain
from statistics import fmean

import numpy as np

from emonas.errors import EmonasError
from emonas.evaluate.recognition import error_rates
from emonas.evaluate.runs import Run, Speakers, all_labels, by_seed, figures
from emonas.evaluate.scores import score, spread
from emonas.storage.metrics import Figure, TaskScore
from emonas.storage.predictions import ASR, Predictions, TaskPredictions
from emonas.storage.wording import normalised


def of_tasks(
    runs: Sequence[Run], speakers: Speakers, pooled: bool, repeated: bool
) -> dict[str, TaskScore]:
    """Score each task on the test utterances whose answer is known; none where nobody knows any.

    Raises:
        EmonasError: only some runs have a task.
    """
    found = {}
    for task in dict.fromkeys(task for run in runs for task in run.test.tasks):
        for run in runs:
            if task not in run.test.tasks:
                raise EmonasError(
                    f"{run.files.predictions}: has no answers to {task}, which others have; train "
                    "the system anew"
                )
        heard = [replace(run, test=_known(run.test, task)) for run in runs]
        heard = [run for run in heard if run.test.utterances]
        if heard:
            of = _spelling if task == ASR else _classes
            found[task] = of(heard, task, speakers, pooled, repeated)
    return found


def _known(test: Predictions, task: str) -> Predictions:
    """The utterances whose answer is known, which stands in the place of their emotion."""
    given = test.tasks[task]
    rows = [row for row, truth in enumerate(given.truth) if truth]
    told = given.logits is not None
    logits = given.logits[rows] if given.logits is not None else np.zeros((len(rows), 0))
    kept = TaskPredictions(
        tuple(given.truth[row] for row in rows),
        tuple(given.said[row] for row in rows),
        given.answers,
    )
    return Predictions(
        utterances=tuple(test.utterances[row] for row in rows),
        corpora=tuple(test.corpora[row] for row in rows),
        labels=kept.truth,
        classes=given.answers if told else (),
        logits=logits.astype(np.float32),
        embedding=test.embedding[rows],
        tasks={task: kept},
    )


def _classes(
    runs: Sequence[Run], task: str, speakers: Speakers, pooled: bool, repeated: bool
) -> TaskScore:
    scored = [replace(run, scores=score(run.test.labels, run.test.predicted)) for run in runs]
    reached = figures(scored, all_labels(scored), speakers, pooled, repeated)
    return TaskScore(**reached, utterances=_count(runs))


def _spelling(
    runs: Sequence[Run], task: str, speakers: Speakers, pooled: bool, repeated: bool
) -> TaskScore:
    """Error rates; edits and lengths are summed over a fold, or over a seed's pooled folds."""
    return TaskScore(
        wer=_rate(runs, task, _wer, pooled, repeated),
        cer=_rate(runs, task, _cer, pooled, repeated),
        utterances=_count(runs),
    )


def _rate(
    runs: Sequence[Run],
    task: str,
    rate: Callable[[list[str], list[str]], float],
    pooled: bool,
    repeated: bool,
) -> Figure:
    def of(group: Iterable[Run]) -> float:
        kept = [run.test.tasks[task] for run in group]
        said = chain.from_iterable(found.said for found in kept)
        truth = chain.from_iterable(found.truth for found in kept)
        return rate(list(truth), [normalised(text) for text in said])

    groups = by_seed(runs).values()
    by_fold: dict[str, list[float]] = {}
    for run in runs:
        by_fold.setdefault(run.files.fold, []).append(of([run]))
    folds = [fmean(values) for values in by_fold.values()]
    seeds = [of(group) if pooled else fmean(of([run]) for run in group) for group in groups]
    return Figure(
        mean=fmean(seeds),
        std=spread(folds if repeated else seeds),
        folds_mean=fmean(folds),
        folds_std=spread(folds),
    )


def _wer(truth: list[str], said: list[str]) -> float:
    return error_rates(truth, said, 0).wer


def _cer(truth: list[str], said: list[str]) -> float:
    return error_rates(truth, said, 0).cer


def _count(runs: Sequence[Run]) -> int:
    return sum(len(run.test.utterances) for run in runs)
