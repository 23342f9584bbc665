"""What a system reaches at the tasks that it learns beside emotion."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from statistics import fmean

import jiwer
import numpy as np
import numpy.typing as npt

from emonas.errors import EmonasError
from emonas.evaluate.counts import Misheard
from emonas.evaluate.intervals import bootstrap_rate
from emonas.evaluate.runs import Run, Speakers, all_labels, by_seed, figures
from emonas.evaluate.scores import score, spread
from emonas.storage.metrics import Figure, TaskScore
from emonas.storage.predictions import ASR, Predictions, TaskPredictions
from emonas.storage.wording import normalised

WORDS, CHARACTERS = slice(0, 2), slice(2, 4)
"""Of counted edits: those of words with the words that were said, and of characters."""
_Edits = npt.NDArray[np.int64]
_Key = tuple[int, str]
"""Seed and fold."""


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
    rows = [row for row, known in enumerate(given.known) if known]
    told = given.logits is not None
    logits = given.logits[rows] if given.logits is not None else np.zeros((len(rows), 0))
    kept = TaskPredictions(
        tuple(given.truth[row] for row in rows),
        tuple(given.said[row] for row in rows),
        given.answers,
        edits=None if given.edits is None else given.edits[rows],
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
    edits = {(run.files.seed, run.files.fold): edits_of(run.test.tasks[task]) for run in runs}

    def rate(columns: slice) -> Figure:
        own = {key: counted[:, columns] for key, counted in edits.items()}
        heard = _misheard(runs, own, speakers)
        of_folds = bootstrap_rate(heard)
        interval = bootstrap_rate(heard, pooled) if pooled else of_folds
        return _rate(runs, own, pooled, repeated).model_copy(
            update={"interval": interval, "folds_interval": of_folds}
        )

    return TaskScore(wer=rate(WORDS), cer=rate(CHARACTERS), utterances=_count(runs))


def _misheard(
    runs: Sequence[Run], edits: Mapping[_Key, _Edits], speakers: Speakers
) -> list[Misheard]:
    """What each run heard, and of whom."""
    return [
        Misheard(
            [speakers.get(key, "") for key in run.utterances],
            edits[run.files.seed, run.files.fold],
            seed=run.files.seed,
            fold=run.files.fold,
        )
        for run in runs
    ]


def edits_of(found: TaskPredictions) -> _Edits:
    """Edits of words, words that were said, and the same of characters, (utterances, 4); zeros
    where nobody knows what was said.
    """
    if found.edits is not None:
        return found.edits
    rows = [
        edits_between(truth, normalised(said)) if truth else (0, 0, 0, 0)
        for truth, said in zip(found.truth, found.said, strict=True)
    ]
    return np.array(rows, dtype=np.int64).reshape(-1, 4)


def edits_between(truth: str, said: str) -> tuple[int, int, int, int]:
    """Edits of words, words that were said, and the same of characters, of normalised texts."""
    words, characters = jiwer.process_words(truth, said), jiwer.process_characters(truth, said)
    return (*_counted(words), *_counted(characters))


def _counted(found: jiwer.WordOutput | jiwer.CharacterOutput) -> tuple[int, int]:
    kept_or_lost = found.substitutions + found.deletions
    return kept_or_lost + found.insertions, kept_or_lost + found.hits


def _rate(
    runs: Sequence[Run], edits: Mapping[_Key, _Edits], pooled: bool, repeated: bool
) -> Figure:
    def of(group: Iterable[Run]) -> float:
        counted = [edits[run.files.seed, run.files.fold].sum(axis=0) for run in group]
        wrong, length = np.sum(counted, axis=0)
        return float(wrong / length)

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


def _count(runs: Sequence[Run]) -> int:
    return sum(len(run.test.utterances) for run in runs)
