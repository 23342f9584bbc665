"""Tasks beside emotion in `predictions.h5`: written, read, joined from pieces, and damaged."""

from dataclasses import replace

import h5py
import numpy as np
import pytest

from emonas.errors import EmonasError
from emonas.storage.predictions import (
    Predictions,
    TaskPredictions,
    joined,
    read_predictions,
    write_predictions,
)

LOGITS = np.arange(6, dtype=np.float32).reshape(3, 2)
TASKS = {
    "gender": TaskPredictions(("male", "", "female"), ("male",) * 3, ("female", "male"), LOGITS),
    "asr": TaskPredictions(("oh nö", "", "we"), ("oh", "x", ""), (" ", "e", "ö")),
}
STAGE = Predictions(
    utterances=("a", "b", "c"),
    corpora=("k",) * 3,
    labels=("sad",) * 3,
    classes=(),
    logits=np.zeros((3, 0), np.float32),
    embedding=np.ones((3, 2), np.float32),
    tasks=TASKS,
)


def same(one, other):
    assert one.tasks.keys() == other.tasks.keys()
    for task, found in one.tasks.items():
        wanted = other.tasks[task]
        assert (found.truth, found.said, found.answers) == (
            wanted.truth,
            wanted.said,
            wanted.answers,
        )
        if wanted.logits is None:
            assert found.logits is None
        else:
            np.testing.assert_array_equal(found.logits, wanted.logits)


def test_what_is_written_is_read_also_without_emotions(tmp_path):
    write_predictions(tmp_path / "p.h5", {"test": STAGE})
    found = read_predictions(tmp_path / "p.h5", "test")
    same(found, STAGE)
    assert (found.classes, found.logits.shape, found.predicted) == ((), (3, 0), ())


def test_pieces_are_joined_with_their_tasks():
    def piece(rows):
        tasks = {
            task: replace(
                found,
                truth=found.truth[rows],
                said=found.said[rows],
                logits=None if found.logits is None else found.logits[rows],
            )
            for task, found in TASKS.items()
        }
        return Predictions(
            STAGE.utterances[rows],
            STAGE.corpora[rows],
            STAGE.labels[rows],
            (),
            STAGE.logits[rows],
            STAGE.embedding[rows],
            tasks=tasks,
        )

    same(joined([piece(slice(0, 2)), piece(slice(2, 3))]), STAGE)


def test_answers_for_other_utterances_than_there_are_are_damage(tmp_path):
    write_predictions(tmp_path / "p.h5", {"test": STAGE})
    with h5py.File(tmp_path / "p.h5", "a") as file:
        del file["test/tasks/asr/said"]
        file["test/tasks/asr/said"] = ["one"]
    with pytest.raises(EmonasError, match=r"p\.h5: no whole predictions.*names and asr"):
        read_predictions(tmp_path / "p.h5", "test")
