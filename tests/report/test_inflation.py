"""What habits would add: of the files that tell it, and of a random split in the same settings."""

from dataclasses import replace

import pytest

from emonas.report.gather import gather
from emonas.report.inflation import inflation_table
from emonas.storage.inflated import BEST_EPOCH, RANDOM_SPLIT
from emonas.storage.metrics import Inflated


def with_split(plan, **changes):
    """The plan with toy as a protocol over the same corpus."""
    card = plan.protocols["toy"].model_copy(update={"corpora": ["emodb"], **changes})
    return plan.model_copy(update={"protocols": {**plan.protocols, "toy": card}})


def table(plan, results, protocol="emodb-loso"):
    gathered = gather(plan, results)
    return inflation_table(plan, gathered[protocol], gathered)


def test_a_random_split_of_the_same_corpus_stands_beside(plan, results):
    split = with_split(plan, test="random", options={"limit": 9, "repeats": 2})
    gathered = gather(split, results)
    system = gathered["toy"].systems["linear"]
    ua = system.metrics.ua.model_copy(update={"mean": 0.95, "folds_mean": 0.9})
    metrics = system.metrics.model_copy(update={"ua": ua})
    gathered["toy"].systems["linear"] = replace(system, metrics=metrics)
    rows = inflation_table(split, gathered["emodb-loso"], gathered).rows
    found = {row["system"]: row for row in rows if row["habit"] == RANDOM_SPLIT}
    # Means of folds on both sides, whatever the system's own score is.
    assert found["linear"]["honest_ua"] == 0.61
    assert found["linear"]["ua_added"] == pytest.approx(0.9 - 0.61)
    # A random split is no honest score that another could be held against.
    own = inflation_table(split, gathered["toy"], gathered)
    assert not own.rows
    assert not any(RANDOM_SPLIT in note for note in own.notes if note.startswith("Not told"))


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"test": "random", "corpora": ["emodb", "toy"]},
        {"test": "random", "options": {"limit": 3}},
        {"test": "random", "options": {"limit": 9, "merge": {"excited": "happy"}}},
    ],
)
def test_another_split_corpus_or_selection_is_none(plan, results, changes):
    found = table(with_split(plan, **changes), results)
    assert not any(row["habit"] == RANDOM_SPLIT for row in found.rows)
    assert any(note.startswith(f"Not told, {RANDOM_SPLIT}: cnn-c6l3") for note in found.notes)


def test_what_was_trained_again_is_told(plan, results):
    gathered = gather(plan, results)
    system = gathered["emodb-loso"].systems["rnn"]
    habit = Inflated(ua=0.7, wa=0.72, honest_ua=0.662, honest_wa=0.693)
    metrics = system.metrics.model_copy(update={"inflated": {BEST_EPOCH: habit}})
    gathered["emodb-loso"].systems["rnn"] = replace(system, metrics=metrics)
    found = inflation_table(plan, gathered["emodb-loso"], gathered)
    (row,) = found.rows
    assert (row["system"], row["habit"]) == ("rnn", BEST_EPOCH)
    assert row["ua_added"] == pytest.approx(0.038)
    assert row["wa_added"] == pytest.approx(0.027)
    (untold,) = (note for note in found.notes if note.startswith(f"Not told, {BEST_EPOCH}"))
    assert "rnn" not in untold
