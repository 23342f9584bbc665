"""Intervals over speakers, against closed forms and a plain loop."""

import numpy as np
import pytest

import emonas.evaluate.intervals
from emonas.evaluate.counts import Spoken
from emonas.evaluate.intervals import speaker_intervals

LABELS = ("happy", "sad")


@pytest.fixture
def _of_any_number(monkeypatch):
    """Two speakers have closed forms."""
    monkeypatch.setattr(emonas.evaluate.intervals, "FEWEST", 2)


def ua(pairs):
    recalls = []
    for label in LABELS:
        answers = [answer for true, answer in pairs if true == label]
        if answers:
            recalls.append(sum(answer == label for answer in answers) / len(answers))
    return sum(recalls) / len(recalls)


def together(spoken):
    """(true, predicted) pairs by speaker as one group."""
    rows = [(name, *pair) for name, pairs in spoken.items() for pair in pairs]
    return Spoken(*(list(column) for column in zip(*rows, strict=True)))


@pytest.mark.usefixtures("_of_any_number")
def test_two_speakers_give_the_scores_of_either_alone():
    # Drawn twice out of two, each alone comes out a quarter of the times: more than 2.5%.
    spoken = {
        "a": [("happy", "happy")] * 3 + [("happy", "sad")] + [("sad", "happy")] * 4,
        "b": [("happy", "sad")] * 4 + [("sad", "sad")] * 4,
    }
    found = speaker_intervals([together(spoken)], LABELS)
    alone = sorted(ua(pairs) for pairs in spoken.values())
    assert found.ua == pytest.approx(alone)
    assert found.wa == pytest.approx(alone)
    assert alone == [0.375, 0.5]


def test_an_interval_is_that_of_speakers_drawn_with_replacement():
    generator = np.random.default_rng(3)
    spoken = {}
    for speaker in range(12):
        skill = generator.uniform(0.3, 0.95)
        true = generator.choice(LABELS, size=int(generator.integers(5, 30)))
        wrong = {"happy": "sad", "sad": "happy"}
        spoken[f"s{speaker}"] = [
            (label, label if generator.random() < skill else wrong[label]) for label in true
        ]
    names = list(spoken)
    scores = []
    for _ in range(3000):
        drawn = generator.choice(names, size=len(names))
        scores.append(ua([pair for name in drawn for pair in spoken[name]]))
    found = speaker_intervals([together(spoken)], LABELS)
    assert found.ua == pytest.approx(np.quantile(scores, [0.025, 0.975]), abs=0.012)
    assert found == speaker_intervals([together(spoken)], LABELS)


@pytest.mark.usefixtures("_of_any_number")
def test_a_class_that_the_drawn_speakers_lack_is_no_part_of_their_mean():
    spoken = {"a": [("happy", "happy")] * 2, "b": [("sad", "sad")] * 2}
    assert speaker_intervals([together(spoken)], LABELS).ua == (1.0, 1.0)


def test_few_speakers_or_an_unknown_one_have_none():
    names = list("abcde")
    for missing in (names[:4], [*names[:4], ""]):
        group = Spoken(missing, ["happy"] * len(missing), ["happy"] * len(missing))
        assert speaker_intervals([group], LABELS) is None
    group = Spoken(names, ["happy"] * 5, ["happy"] * 5)
    assert speaker_intervals([group], LABELS).ua == (1.0, 1.0)


@pytest.mark.parametrize("names", [("a", "a"), ("a", "")])
@pytest.mark.usefixtures("_of_any_number")
def test_one_speaker_or_an_unknown_one_has_none(names):
    group = Spoken(names, ["happy", "sad"], ["happy", "sad"])
    assert speaker_intervals([group], LABELS) is None


def test_where_a_fold_is_a_speaker_folds_are_drawn():
    # A fold that answers "sad" throughout has UA 0.5.
    folds = [
        Spoken([f"s{number}"] * 2, ["happy", "sad"], ["happy" if number < 3 else "sad", "sad"])
        for number in range(6)
    ]
    means = [1.0] * 3 + [0.5] * 3
    generator = np.random.default_rng(1)
    draws = [np.mean(generator.choice(means, size=6)) for _ in range(5000)]
    found = speaker_intervals(folds, LABELS)
    assert found.ua == pytest.approx(np.quantile(draws, [0.025, 0.975]), abs=1e-9)


@pytest.mark.usefixtures("_of_any_number")
def test_a_fold_counts_as_often_as_its_speakers_are_drawn():
    """Two folds of two speakers, against a loop."""
    generator = np.random.default_rng(2)
    spoken = [
        {
            f"{fold}{speaker}": [
                ("happy", "happy" if generator.random() < 0.7 else "sad") for _ in range(9)
            ]
            for speaker in "xy"
        }
        for fold in "ab"
    ]
    pairs = {name: rows for group in spoken for name, rows in group.items()}
    draws = []
    for _ in range(5000):
        drawn = list(generator.choice(sorted(pairs), size=4))
        scores, weights = [], []
        for fold in "ab":
            own = [name for name in drawn if name.startswith(fold)]
            if own:
                scores.append(ua([pair for name in own for pair in pairs[name]]))
                weights.append(len(own) / 2)
        draws.append(np.average(scores, weights=weights))
    found = speaker_intervals([together(group) for group in spoken], LABELS)
    assert found.ua == pytest.approx(np.quantile(draws, [0.025, 0.975]), abs=0.02)


@pytest.mark.usefixtures("_of_any_number")
def test_models_that_are_tested_on_the_same_speakers_are_averaged():
    one = {"a": [("happy", "happy"), ("sad", "sad")], "b": [("happy", "sad"), ("sad", "sad")]}
    other = {"a": [("happy", "sad"), ("sad", "sad")], "b": [("happy", "sad"), ("sad", "happy")]}
    found = speaker_intervals([together(one), together(other)], LABELS)
    # a alone: (1 + 0.5) / 2; b alone: (0.5 + 0) / 2.
    assert found.ua == pytest.approx((0.25, 0.75))
