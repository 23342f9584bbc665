"""Means under the same draws, and their differences, against closed forms and plain loops."""

import numpy as np
import pytest
from said import LABELS, answers, together, ua

from emonas.evaluate.counts import Spoken
from emonas.evaluate.intervals import bootstrap_intervals, draw, intervals_of
from emonas.evaluate.resampling import Mean


def means(seeds, speakers, drawn, pooled):
    """The score of each drawn seed over folds of one speaker each, or of all together."""
    scores = []
    for seed in drawn:
        rows = [seeds[seed][name] for name in speakers]
        together_ = ua([pair for pairs in rows for pair in pairs])
        scores.append(together_ if pooled else np.mean([ua(pairs) for pairs in rows]))
    return scores


def by_speaker(seeds):
    """A fold a speaker."""
    return [
        together({name: pairs}, seed=seed, fold=name)
        for seed, spoken in enumerate(seeds)
        for name, pairs in spoken.items()
    ]


@pytest.fixture
def three_seeds():
    """Three seeds of eight speakers, who differ in what they say and in how well they are known."""
    generator = np.random.default_rng(11)
    wrong = {"happy": "sad", "sad": "happy"}
    seeds = []
    for right in (0.55, 0.65, 0.75):
        spoken = {}
        for number in range(8):
            labels = ["happy"] * (1 + number) + ["sad"] * (9 - number)
            said = [label if generator.random() < right else wrong[label] for label in labels]
            spoken[f"s{number}"] = list(zip(labels, said, strict=True))
        seeds.append(spoken)
    return seeds


def looped(seeds, score, times=6000):
    """A score of drawn speakers and seeds, many times."""
    generator = np.random.default_rng(12)
    names = list(seeds[0])
    drawn = [
        score(generator.choice(names, size=len(names)), generator.integers(0, 3, size=3))
        for _ in range(times)
    ]
    return np.quantile(drawn, [0.025, 0.975])


@pytest.mark.parametrize("pooled", [False, True])
def test_pooled_folds_and_their_mean_have_an_interval_each(three_seeds, pooled):
    found = bootstrap_intervals(by_speaker(three_seeds), LABELS, pooled)
    wanted = looped(
        three_seeds, lambda names, drawn: np.mean(means(three_seeds, names, drawn, pooled))
    )
    assert found.ua == pytest.approx(wanted, abs=0.012)


def test_pooling_is_held_against_the_mean_of_the_same_draw(three_seeds):
    groups = by_speaker(three_seeds)
    pooled, of_folds = draw([Mean(groups, pooled=True), Mean(groups)], LABELS)
    wanted = looped(
        three_seeds,
        lambda names, drawn: (
            np.mean(means(three_seeds, names, drawn, True))
            - np.mean(means(three_seeds, names, drawn, False))
        ),
    )
    assert intervals_of(pooled - of_folds).ua == pytest.approx(wanted, abs=0.01)
    # Of two draws it would be far wider.
    apart = intervals_of(pooled - of_folds[:, ::-1]).ua
    assert np.ptp(apart) > 2 * np.ptp(wanted)


def test_the_best_seed_is_chosen_anew_in_every_draw_among_the_seeds_drawn(three_seeds):
    groups = by_speaker(three_seeds)
    best, honest = draw([Mean(groups, pooled=True, best=True), Mean(groups, pooled=True)], LABELS)
    wanted = looped(
        three_seeds,
        lambda names, drawn: (
            max(means(three_seeds, names, drawn, True))
            - np.mean(means(three_seeds, names, drawn, True))
        ),
    )
    assert intervals_of(best - honest).ua == pytest.approx(wanted, abs=0.012)
    assert (best[0] - honest[0]).min() > -1e-12


def test_the_other_metric_of_the_best_seed_is_that_of_the_seed_with_the_best_ua():
    """One seed has the better UA throughout, the other the better WA."""
    rare = [("happy", "happy")] + [("sad", "sad")] * 3 + [("sad", "happy")] * 3
    common = [("happy", "sad")] + [("sad", "sad")] * 6
    names = [f"s{number}" for number in range(6)]
    groups = [
        together({name: pairs}, seed=seed, fold=name)
        for seed, pairs in enumerate((rare, common))
        for name in names
    ]
    (best,) = draw([Mean(groups, pooled=True, best=True)], LABELS)
    ua_, wa_ = best
    assert set(np.round(ua_, 9)) == {0.5, 0.75}
    assert wa_[ua_ > 0.7] == pytest.approx(4 / 7)
    assert wa_[ua_ < 0.7] == pytest.approx(6 / 7)


def test_the_same_predictions_on_both_sides_differ_by_nothing(three_seeds):
    one, other = draw([Mean(by_speaker(three_seeds)), Mean(by_speaker(three_seeds))], LABELS)
    assert intervals_of(one - other).ua == (0.0, 0.0)
    assert intervals_of(one - other).wa == (0.0, 0.0)


def test_a_difference_that_is_the_same_for_every_speaker_has_no_width():
    """Each speaker is right in one utterance of ten more, however well he is known at all."""
    names = [f"s{number}" for number in range(9)]

    def side(more):
        right = {name: number % 5 + more for number, name in enumerate(names)}
        spoken = {
            name: [("happy", "happy")] * right[name] + [("happy", "sad")] * (10 - right[name])
            for name in names
        }
        return [together({name: pairs}, fold=name) for name, pairs in spoken.items()]

    one, other = draw([Mean(side(1)), Mean(side(0))], LABELS)
    assert intervals_of(one - other).ua == pytest.approx((0.1, 0.1))
    assert np.ptp(intervals_of(one).ua) > 0.1


def test_speakers_of_one_side_alone_are_drawn_with_those_of_both():
    """Side a tests s0 to s6, side b s2 to s9, against a loop."""
    generator = np.random.default_rng(14)
    names = [f"s{number}" for number in range(10)]
    sides = [answers(generator, names[:7], 0.8), answers(generator, names[2:], 0.5)]
    draws = []
    for _ in range(6000):
        speakers = generator.choice(names, size=10)
        scores = [
            ua([pair for name in speakers if name in side for pair in side[name]]) for side in sides
        ]
        draws.append(scores[0] - scores[1])
    one, other = draw([Mean([together(side)]) for side in sides], LABELS)
    wanted = np.quantile(draws, [0.025, 0.975])
    assert intervals_of(one - other).ua == pytest.approx(wanted, abs=0.02)


def test_a_side_with_few_speakers_has_no_difference():
    many, few = ([f"s{number}" for number in range(size)] for size in (8, 4))
    groups = [
        Spoken(names, ["happy"] * len(names), ["happy"] * len(names)) for names in (many, few)
    ]
    assert draw([Mean([group]) for group in groups], LABELS) is None


def test_other_seeds_on_both_sides_are_drawn_apart():
    """Of the same three seeds the difference is constant; of others it is that of two means."""
    names = [f"s{number}" for number in range(6)]

    def side(first, more):
        return [
            together(
                {
                    name: [("happy", "happy")] * right + [("happy", "sad")] * (10 - right)
                    for name in names
                },
                seed=first + seed,
            )
            for seed, right in enumerate((2 + more, 5 + more, 8 + more))
        ]

    same = draw([Mean(side(0, 1)), Mean(side(0, 0))], LABELS)
    assert intervals_of(same[0] - same[1]).ua == pytest.approx((0.1, 0.1))
    generator = np.random.default_rng(15)
    draws = [
        np.mean(generator.choice([0.3, 0.6, 0.9], 3))
        - np.mean(generator.choice([0.2, 0.5, 0.8], 3))
        for _ in range(6000)
    ]
    other = draw([Mean(side(0, 1)), Mean(side(3, 0))], LABELS)
    wanted = np.quantile(draws, [0.025, 0.975])
    assert intervals_of(other[0] - other[1]).ua == pytest.approx(wanted, abs=0.051)
