"""Intervals over speakers, seeds and folds, against closed forms and a plain loop."""

from dataclasses import replace
from itertools import chain

import numpy as np
import pytest
from said import LABELS, answers, together, ua

import emonas.evaluate.intervals
from emonas.evaluate.counts import Misheard, Spoken
from emonas.evaluate.intervals import bootstrap_intervals, bootstrap_rate


@pytest.fixture
def _of_any_number(monkeypatch):
    """Two speakers have closed forms."""
    monkeypatch.setattr(emonas.evaluate.intervals, "FEWEST", 2)


@pytest.mark.usefixtures("_of_any_number")
def test_two_speakers_give_the_scores_of_either_alone():
    # Drawn twice out of two, each alone comes out a quarter of the times: more than 2.5%.
    spoken = {
        "a": [("happy", "happy")] * 3 + [("happy", "sad")] + [("sad", "happy")] * 4,
        "b": [("happy", "sad")] * 4 + [("sad", "sad")] * 4,
    }
    found = bootstrap_intervals([together(spoken)], LABELS)
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
    found = bootstrap_intervals([together(spoken)], LABELS)
    assert found.ua == pytest.approx(np.quantile(scores, [0.025, 0.975]), abs=0.012)
    assert found == bootstrap_intervals([together(spoken)], LABELS)


@pytest.mark.usefixtures("_of_any_number")
def test_a_class_that_the_drawn_speakers_lack_is_no_part_of_their_mean():
    spoken = {"a": [("happy", "happy")] * 2, "b": [("sad", "sad")] * 2}
    assert bootstrap_intervals([together(spoken)], LABELS).ua == (1.0, 1.0)


def test_few_speakers_or_an_unknown_one_have_none():
    names = list("abcde")
    for missing in (names[:4], [*names[:4], ""]):
        group = Spoken(missing, ["happy"] * len(missing), ["happy"] * len(missing))
        assert bootstrap_intervals([group], LABELS) is None
    group = Spoken(names, ["happy"] * 5, ["happy"] * 5)
    assert bootstrap_intervals([group], LABELS).ua == (1.0, 1.0)


@pytest.mark.parametrize("names", [("a", "a"), ("a", "")])
@pytest.mark.usefixtures("_of_any_number")
def test_one_speaker_or_an_unknown_one_has_none(names):
    group = Spoken(names, ["happy", "sad"], ["happy", "sad"])
    assert bootstrap_intervals([group], LABELS) is None


def test_where_a_fold_is_a_speaker_folds_are_drawn():
    # A fold that answers "sad" throughout has UA 0.5.
    folds = [
        Spoken([f"s{number}"] * 2, ["happy", "sad"], ["happy" if number < 3 else "sad", "sad"])
        for number in range(6)
    ]
    means = [1.0] * 3 + [0.5] * 3
    generator = np.random.default_rng(1)
    draws = [np.mean(generator.choice(means, size=6)) for _ in range(5000)]
    found = bootstrap_intervals(folds, LABELS)
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
    found = bootstrap_intervals([together(group) for group in spoken], LABELS)
    assert found.ua == pytest.approx(np.quantile(draws, [0.025, 0.975]), abs=0.02)


@pytest.mark.usefixtures("_of_any_number")
def test_models_that_are_tested_on_the_same_speakers_are_averaged():
    one = {"a": [("happy", "happy"), ("sad", "sad")], "b": [("happy", "sad"), ("sad", "sad")]}
    other = {"a": [("happy", "sad"), ("sad", "sad")], "b": [("happy", "sad"), ("sad", "happy")]}
    found = bootstrap_intervals([together(one), together(other)], LABELS)
    # a alone: (1 + 0.5) / 2; b alone: (0.5 + 0) / 2.
    assert found.ua == pytest.approx((0.25, 0.75))


def test_seeds_are_drawn_beside_the_speakers():
    """Four seeds that differ more than the speakers do, against a loop."""
    generator = np.random.default_rng(5)
    names = [f"s{number}" for number in range(8)]
    seeds = [answers(generator, names, right) for right in (0.2, 0.4, 0.6, 0.8)]
    draws = []
    for _ in range(6000):
        speakers, drawn = generator.choice(names, size=8), generator.integers(0, 4, size=4)
        scores = [ua([pair for name in speakers for pair in seeds[seed][name]]) for seed in drawn]
        draws.append(np.mean(scores))
    groups = [together(spoken, seed=seed) for seed, spoken in enumerate(seeds)]
    found = bootstrap_intervals(groups, LABELS)
    assert found.ua == pytest.approx(np.quantile(draws, [0.025, 0.975]), abs=0.02)
    # Without the chance of a seed, the same answers depend far less on chance.
    alike = bootstrap_intervals([replace(group, seed=0) for group in groups], LABELS)
    assert found.ua[1] - found.ua[0] > 2 * (alike.ua[1] - alike.ua[0])


@pytest.mark.parametrize("pooled", [False, True])
def test_folds_are_drawn_where_they_test_the_same_speakers(pooled):
    generator = np.random.default_rng(6)
    names = [f"s{number}" for number in range(8)]
    folds = [answers(generator, names, right) for right in (0.3, 0.5, 0.9)]
    draws = []
    for _ in range(6000):
        speakers, drawn = generator.choice(names, size=8), generator.integers(0, 3, size=3)
        heard = [[pair for name in speakers for pair in folds[fold][name]] for fold in drawn]
        draws.append(ua(list(chain(*heard))) if pooled else np.mean([ua(pairs) for pairs in heard]))
    groups = [together(spoken, fold=str(fold)) for fold, spoken in enumerate(folds)]
    found = bootstrap_intervals(groups, LABELS, pooled=pooled)
    assert found.ua == pytest.approx(np.quantile(draws, [0.025, 0.975]), abs=0.02)


def test_folds_that_test_nobody_who_was_drawn_leave_no_hole():
    """Speaker s0 alone is in two folds; most draws of folds leave someone out."""
    generator = np.random.default_rng(7)
    one, other = (answers(generator, names, 0.5) for names in (("s0", "s1"), ("s0",)))
    rest = answers(generator, ("s2", "s3", "s4", "s5"), 0.5)
    groups = [together(spoken, fold=str(n)) for n, spoken in enumerate((one, other, rest))]
    low, high = bootstrap_intervals(groups, LABELS).ua
    assert 0 <= low < high <= 1


def test_an_error_rate_s_interval_draws_speakers_with_all_that_they_said():
    """Of one group it is SciPy's bootstrap of a ratio of sums; a loop shows that it is of means."""
    generator = np.random.default_rng(5)
    speakers = [f"s{number % 7}" for number in range(60)]
    counts = np.stack([generator.integers(0, 4, 60), generator.integers(4, 12, 60)], axis=1)
    found = bootstrap_rate([Misheard(speakers, counts)])
    names = sorted(set(speakers))
    rates = []
    for _ in range(4000):
        drawn = generator.choice(names, len(names))
        rows = [row for name in drawn for row in range(60) if speakers[row] == name]
        rates.append(counts[rows, 0].sum() / counts[rows, 1].sum())
    assert found == pytest.approx(np.quantile(rates, [0.025, 0.975]), abs=0.006)
    low, high = found
    assert low < counts[:, 0].sum() / counts[:, 1].sum() < high
    assert bootstrap_rate([Misheard(["", *speakers[1:]], counts)]) is None
    assert bootstrap_rate([Misheard(speakers[:4], counts[:4])]) is None


def test_an_error_rate_of_several_seeds_is_drawn_over_them_too():
    speakers = [f"s{number}" for number in range(5)]
    good, bad = np.array([[0, 10]] * 5), np.array([[5, 10]] * 5)
    one = bootstrap_rate([Misheard(speakers, good), Misheard(speakers, bad)])
    assert one == pytest.approx((0.25, 0.25))
    seeds = [Misheard(speakers, good, seed=0), Misheard(speakers, bad, seed=1)]
    assert bootstrap_rate(seeds) == pytest.approx((0.0, 0.5))
