"""Permutation by speaker and Holm's correction, against loops and closed forms."""

from itertools import product

import numpy as np
import pytest

from emonas.evaluate.counts import ua_of, wa_of
from emonas.evaluate.permutation import adjust_by_holm, permute_speakers
from emonas.storage.comparisons import SWAPS


def ua(counts):
    """Of one confusion, by its definition."""
    recalls = [row[place] / sum(row) for place, row in enumerate(counts) if sum(row) > 0]
    return sum(recalls) / len(recalls)


def wa(counts):
    return sum(row[place] for place, row in enumerate(counts)) / counts.sum()


def answers(speakers, groups, seed, skill):
    """Confusions of the same utterances, whatever the skill."""
    truth = np.random.default_rng(7)
    mind = np.random.default_rng(seed)
    counts = np.zeros((speakers, groups, 3, 3))
    for speaker, group in product(range(speakers), range(groups)):
        for label in truth.integers(0, 3, size=9):
            said = label if mind.random() < skill else mind.integers(0, 3)
            counts[speaker, group, label, said] += 1
    return counts


@pytest.mark.parametrize(("vectorised", "plain"), [(ua_of, ua), (wa_of, wa)])
@pytest.mark.parametrize("groups", [1, 3])
def test_with_few_speakers_all_swaps_are_tried(groups, vectorised, plain):
    first, second = answers(7, groups, 1, 0.7), answers(7, groups, 2, 0.5)

    def difference(swapped):
        mixed = [
            [(theirs if swap else ours) for swap, ours, theirs in zip(swapped, *pair, strict=True)]
            for pair in ((first, second), (second, first))
        ]
        means = []
        for system in mixed:
            totals = np.sum(system, axis=0)
            means.append(np.mean([plain(totals[group]) for group in range(groups)]))
        return means[0] - means[1]

    every = np.array([difference(swapped) for swapped in product([False, True], repeat=7)])
    found = permute_speakers(first, second, vectorised)
    assert found.difference == pytest.approx(every[0])
    above = np.mean(every >= every[0] - 1e-12)
    below = np.mean(every <= every[0] + 1e-12)
    assert found.p == pytest.approx(min(1, 2 * min(above, below)))


def test_of_many_speakers_as_many_swaps_are_drawn_as_is_said():
    right, wrong = np.zeros((24, 1, 2, 2)), np.zeros((24, 1, 2, 2))
    right[:, 0, [0, 1], [0, 1]] = 5
    wrong[:, 0, [0, 1], [1, 0]] = 5
    assert permute_speakers(right, wrong, ua_of).p == pytest.approx(2 / (SWAPS + 1))


def test_six_speakers_who_all_agree_are_just_enough():
    right, wrong = np.zeros((6, 1, 2, 2)), np.zeros((6, 1, 2, 2))
    right[:, 0, [0, 1], [0, 1]] = 5
    wrong[:, 0, [0, 1], [1, 0]] = 5
    found = permute_speakers(right, wrong, ua_of)
    assert found.difference == 1
    assert found.p == pytest.approx(2 / 2**6)


def test_equal_systems_do_not_differ():
    counts = answers(20, 1, 3, 0.6)
    assert permute_speakers(counts, counts, ua_of).p == 1


def test_of_many_speakers_swaps_are_drawn_and_the_level_is_kept():
    # Systems of one skill: a p below 0.2 comes up in a fifth of the draws.
    found = [
        permute_speakers(answers(16, 1, 2 * draw, 0.6), answers(16, 1, 2 * draw + 1, 0.6), wa_of).p
        for draw in range(60)
    ]
    assert np.mean(np.array(found) < 0.2) == pytest.approx(0.2, abs=0.12)


def test_holms_own_steps():
    assert adjust_by_holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert adjust_by_holm([0.5, 0.9]) == [1.0, 1.0]
    assert adjust_by_holm([0.2]) == [0.2]
    assert adjust_by_holm([]) == []
