"""What habits would add: of the files that tell it, and of a random split in the same settings."""

import shutil
from dataclasses import replace

import pytest

from emonas.report.differences import wanted_differences
from emonas.report.gather import gather
from emonas.report.inflation import inflation_table
from emonas.report.summary import PAIRED_NOTE
from emonas.storage.differences import Apart, Between, Differences, write_differences
from emonas.storage.inflated import BEST_EPOCH, RANDOM_SPLIT
from emonas.storage.metrics import Inflated


def with_split(plan, **changes):
    """The plan with toy as a protocol over the same corpus."""
    card = plan.protocols["toy"].model_copy(update={"corpora": ["emodb"], **changes})
    return plan.model_copy(update={"protocols": {**plan.protocols, "toy": card}})


def table(plan, results, protocol="emodb-loso"):
    gathered = gather(plan, results)
    return inflation_table(plan, gathered[protocol], gathered)


def test_a_random_split_of_the_same_corpus_stands_beside(plan, results, tmp_path):
    split = with_split(plan, test="random", options={"limit": 9, "repeats": 2})
    wanted = wanted_differences(split)
    assert list(wanted) == ["toy"]
    assert set(wanted["toy"]["emodb-loso"]) == set(split.run_systems("toy"))
    drawn = Between(mean=0.5, folds_mean=0.29, interval=(0.4, 0.6), folds_interval=(0.2, 0.33))
    apart = Apart(system="linear", less="emodb-loso", ua=drawn, wa=drawn)
    folder = tmp_path / "results"
    shutil.copytree(results, folder, ignore=shutil.ignore_patterns("report"))
    write_differences(
        folder / "evaluate/toy/differences.json", Differences(protocol="toy", systems=[apart])
    )
    gathered = gather(split, folder)
    system = gathered["toy"].systems["linear"]
    ua = system.metrics.ua.model_copy(update={"mean": 0.95, "folds_mean": 0.9})
    metrics = system.metrics.model_copy(update={"ua": ua})
    gathered["toy"].systems["linear"] = replace(system, metrics=metrics)
    rows = inflation_table(split, gathered["emodb-loso"], gathered).rows
    found = {row["system"]: row for row in rows if row["habit"] == RANDOM_SPLIT}
    # Means of folds on both sides, whatever the system's own score is.
    assert found["linear"]["honest_ua"] == 0.61
    assert found["linear"]["ua_added"] == pytest.approx(0.9 - 0.61)
    assert (found["linear"]["ua_added_low"], found["linear"]["ua_added_high"]) == (0.2, 0.33)
    assert "ua_added_low" not in found["rnn"]
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
    habit = Inflated(ua=0.7, wa=0.72, honest_ua=0.662, honest_wa=0.693, ua_interval=(-0.004, 0.081))
    metrics = system.metrics.model_copy(update={"inflated": {BEST_EPOCH: habit}})
    gathered["emodb-loso"].systems["rnn"] = replace(system, metrics=metrics)
    found = inflation_table(plan, gathered["emodb-loso"], gathered)
    (row,) = found.rows
    assert (row["system"], row["habit"]) == ("rnn", BEST_EPOCH)
    assert row["ua_added"] == pytest.approx(0.038)
    assert row["wa_added"] == pytest.approx(0.027)
    assert found.shown()[0][4] == "+3.8 [−0.4, +8.1]"
    assert found.shown()[0][7] == "+2.7"
    assert PAIRED_NOTE in found.notes
    (untold,) = (note for note in found.notes if note.startswith(f"Not told, {BEST_EPOCH}"))
    assert "rnn" not in untold
