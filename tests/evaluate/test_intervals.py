"""Intervals over speakers, against closed forms and a plain loop."""

import numpy as np
import pytest

from emonas.evaluate.intervals import speaker_intervals

LABELS = ("happy", "sad")


def ua(pairs):
    recalls = []
    for label in LABELS:
        answers = [answer for true, answer in pairs if true == label]
        if answers:
            recalls.append(sum(answer == label for answer in answers) / len(answers))
    return sum(recalls) / len(recalls)


def columns(spoken):
    """Speakers, true and predicted labels of (true, predicted) pairs by speaker."""
    rows = [(name, *pair) for name, pairs in spoken.items() for pair in pairs]
    return [list(column) for column in zip(*rows, strict=True)]


def test_two_speakers_give_the_scores_of_either_alone():
    # Drawn twice out of two, each alone comes out a quarter of the times: more than 2.5%.
    spoken = {
        "a": [("happy", "happy")] * 3 + [("happy", "sad")] + [("sad", "happy")] * 4,
        "b": [("happy", "sad")] * 4 + [("sad", "sad")] * 4,
    }
    found = speaker_intervals(*columns(spoken), LABELS)
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
    found = speaker_intervals(*columns(spoken), LABELS)
    assert found.ua == pytest.approx(np.quantile(scores, [0.025, 0.975]), abs=0.012)
    assert found == speaker_intervals(*columns(spoken), LABELS)


def test_a_class_that_the_drawn_speakers_lack_is_no_part_of_their_mean():
    spoken = {"a": [("happy", "happy")] * 2, "b": [("sad", "sad")] * 2}
    assert speaker_intervals(*columns(spoken), LABELS).ua == (1.0, 1.0)


@pytest.mark.parametrize("names", [("a", "a"), ("a", "")])
def test_one_speaker_or_an_unknown_one_has_none(names):
    assert speaker_intervals(names, ["happy", "sad"], ["happy", "sad"], LABELS) is None
