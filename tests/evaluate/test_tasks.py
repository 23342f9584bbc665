"""Figures of tasks beside emotion, against loops."""

from statistics import mean

import numpy as np
import pytest

from emonas.errors import EmonasError
from emonas.evaluate.job import EvaluatedCorpora, evaluate_system
from emonas.evaluate.runs import RunFiles
from emonas.storage.cost import NetworkCost, write_network_cost
from emonas.storage.metrics import read_metrics
from emonas.storage.predictions import Predictions, TaskPredictions, write_predictions

GENDERS = ("female", "male")
SAID = {
    "one": [("we go home", "we go home"), ("oh no", "oh oh no"), ("", "never said")],
    "two": [("a b c d", "a x d"), ("no", "")],
}


def edits(truth, said):
    """Levenshtein's distance between words, by its recursion."""
    if not truth or not said:
        return len(truth) + len(said)
    return min(
        edits(truth[1:], said[1:]) + (truth[0] != said[0]),
        edits(truth[1:], said) + 1,
        edits(truth, said[1:]) + 1,
    )


def wer(pairs):
    known = [(truth.split(), said.split()) for truth, said in pairs if truth]
    return sum(edits(*pair) for pair in known) / sum(len(truth) for truth, _ in known)


@pytest.fixture
def runs(tmp_path):
    """Two folds of a first stage, without emotion."""
    made = []
    for number, (fold, pairs) in enumerate(SAID.items()):
        count = len(pairs)
        logits = np.random.default_rng(number).normal(size=(count, 2)).astype(np.float32)
        truth = tuple(("female", "male", "")[row % 3] for row in range(count))
        tasks = {
            "asr": TaskPredictions(*map(tuple, zip(*pairs, strict=True)), tuple("abc")),
            "gender": TaskPredictions(
                truth, tuple(GENDERS[index] for index in logits.argmax(axis=1)), GENDERS, logits
            ),
        }
        part = Predictions(
            tuple(f"{fold}{row}" for row in range(count)),
            ("corpus",) * count,
            ("sad",) * count,
            (),
            np.zeros((count, 0), np.float32),
            np.zeros((count, 1), np.float32),
            tasks=tasks,
        )
        folder = tmp_path / fold
        write_predictions(folder / "predictions.h5", {"test": part})
        cost = NetworkCost(None, 10, 5, [[1]], shortened=2 + number, left_out=number)
        write_network_cost(folder / "cost.json", cost)
        made.append(
            (RunFiles(fold, 0, folder / "predictions.h5", folder / "cost.json"), tasks["gender"])
        )
    return made


@pytest.mark.parametrize("pooled", [True, False])
def test_rates_and_recalls_are_of_what_is_known(runs, tmp_path, pooled):
    output = tmp_path / "metrics.json"
    files = [run for run, _ in runs]
    evaluate_system("p", "first", files, EvaluatedCorpora({}), pooled, False, output)
    found = read_metrics(output)
    assert (found.ua, found.wa, found.confusion, found.labels) == (None, None, [], [])
    assert (found.shortened, found.left_out) == (5, 1)
    folds = [wer(pairs) for pairs in SAID.values()]
    expected = wer([pair for pairs in SAID.values() for pair in pairs]) if pooled else mean(folds)
    asr = found.tasks["asr"]
    assert asr.wer.mean == pytest.approx(expected)
    assert asr.wer.folds_mean == pytest.approx(mean(folds))
    assert (asr.ua, asr.utterances) == (None, 4)
    genders = [list(zip(task.truth, task.said, strict=True)) for _, task in runs]

    def recall(pairs):
        by_gender = [[said == truth for truth, said in pairs if truth == g] for g in GENDERS]
        return mean(mean(right) for right in by_gender if right)

    flat = [pair for pairs in genders for pair in pairs if pair[0]]
    expected = recall(flat) if pooled else mean(recall(pairs) for pairs in genders)
    assert found.tasks["gender"].ua.mean == pytest.approx(expected)
    assert found.tasks["gender"].utterances == len(flat)


def test_a_run_without_a_task_that_others_have_is_named(runs, tmp_path):
    file = runs[1][0].predictions
    bare = Predictions(
        ("x",),
        ("corpus",),
        ("sad",),
        (),
        np.zeros((1, 0), np.float32),
        np.zeros((1, 1), np.float32),
    )
    write_predictions(file, {"test": bare})
    with pytest.raises(EmonasError, match=f"{file.parent.name}.*has no answers to asr"):
        evaluate_system(
            "p", "s", [run for run, _ in runs], EvaluatedCorpora({}), True, False, tmp_path / "m"
        )
