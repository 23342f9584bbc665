"""Eqs. 1 and 2 of Two-stage fine-tuning, in both readings, and what the options refuse."""

import pytest
from pydantic import ValidationError

from emonas.kinds import kind_options
from emonas.systems.task_options import TaskOptions, task_weights

PLAIN, ADVERSARIAL = TaskOptions(), TaskOptions(adversarial=True)
SMALL = {"layers": 2, "width": 32, "heads": 2, "feed_forward": 32, "channels": 8}


def options(**changes):
    values = {"network": "wav2vec2", "inputs": ["waveform"], "random": SMALL, **changes}
    return kind_options("network", values)


@pytest.mark.parametrize("others", [("asr",), ("asr", "gender"), ("asr", "gender", "style")])
def test_shared_weights_give_emotion_nine_tenths_and_the_others_a_tenth_together(others):
    weights = task_weights(dict.fromkeys(("emotion", *others), PLAIN), 0.1, literal=False)
    assert weights["emotion"] == pytest.approx(0.9)
    assert all(weights[task] == pytest.approx(0.1 / len(others)) for task in others)
    assert sum(weights.values()) == pytest.approx(1)


def test_to_the_letter_alpha_is_emotion_s_and_each_other_task_has_a_third_of_the_rest():
    """L = alpha L_emotion + (1 - alpha)/3 (L_ASR + L_gender + L_style), alpha = 0.1."""
    weights = task_weights(
        dict.fromkeys(("emotion", "asr", "gender", "style"), PLAIN), 0.1, literal=True
    )
    assert weights == pytest.approx({"emotion": 0.1, "asr": 0.3, "gender": 0.3, "style": 0.3})


@pytest.mark.parametrize(("literal", "expected"), [(False, (0.9, 0.1)), (True, (0.1, 0.9))])
def test_an_adversarial_task_has_what_emotion_leaves(literal, expected):
    """L = gamma L_emotion + (1 - gamma) G(L_gender)."""
    weights = task_weights({"emotion": PLAIN, "gender": ADVERSARIAL}, 0.1, literal=literal)
    assert (weights["emotion"], weights["gender"]) == pytest.approx(expected)


def test_a_first_stage_weighs_its_tasks_alike_and_own_weights_go_before():
    assert task_weights({"asr": PLAIN, "gender": PLAIN}, 0.1, literal=True) == {
        "asr": 1.0,
        "gender": 1.0,
    }
    own = {"emotion": TaskOptions(weight=0.7), "asr": TaskOptions(weight=2)}
    assert task_weights(own, 0.1, literal=False) == {"emotion": 0.7, "asr": 2.0}


def test_tasks_are_a_list_or_weights_or_options_by_name():
    assert options(tasks=["asr", "gender"]).tasks == {"asr": PLAIN, "gender": PLAIN}
    found = options(tasks={"emotion": 1, "gender": {"weight": 0.5, "adversarial": True}}).tasks
    assert found["emotion"].weight == 1
    assert (found["gender"].weight, found["gender"].adversarial) == (0.5, True)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"random": None}, "either a `checkpoint` or the sizes"),
        ({"checkpoint": "base"}, "either a `checkpoint` or the sizes"),
        ({"random": {"width": 48, "heads": 5}}, "no multiple of the 5 heads"),
        ({"tasks": {"emotion": 0.9, "asr": {}}}, "tasks.asr.weight is missing"),
        ({"tasks": {"asr": {"adversarial": True}}}, "asr can't"),
        ({"tasks": {"gender": {"adversarial": True}}}, "nothing is learnt"),
        ({"skip": 1}, "skip is for the task gender"),
        ({"characters": "abc"}, "characters are for the task asr"),
        ({"tasks": ["asr"], "training": {"select": "validation_ua"}}, "emotion is no task here"),
        ({"tasks": ["speaker"]}, "emotion"),
        ({"tasks": ["asr"], "characters": "ABC"}, "give small letters"),
        ({"training": {"pieces": 2, "class_weights": True}}, "leave one of them out"),
        ({"normalise": "feature"}, "none"),
        ({"tasks": ["emotion", "emotion"]}, "a task is named twice"),
        ({"freeze": 13}, "freeze is 13, and the random encoder has 2 blocks"),
        ({"tasks": ["gender"], "skip": 13}, "skip is 13, and the random encoder has 2 blocks"),
        ({"reversal": 2.0}, "reversal is for an adversarial task"),
        ({"tasks": {"emotion": 0.4, "asr": 0.6}, "weighing": "literal"}, "weighing: the tasks"),
        ({"tasks": {"emotion": 0.4, "asr": 0.6}, "auxiliary": 0.3}, "auxiliary: the tasks"),
        ({"tasks": ["asr"], "training": {"label_smoothing": 0.1}}, "for the task emotion"),
        ({"tasks": ["asr"], "training": {"class_weights": True}}, "for the task emotion"),
        ({"training": {"mask_features": 0.5}}, "use mask_time"),
    ],
)
def test_what_goes_not_together_is_refused(changes, said):
    with pytest.raises(ValidationError, match=said):
        options(**changes)


def test_the_paper_s_values_are_the_defaults():
    """Section 3.2: 100 epochs, batch 16, 10e-5 (read as 1e-4), alpha = gamma = 0.1."""
    found = options()
    training = found.training
    assert (training.epochs, training.batch, training.learning_rate) == (100, 16, 1e-4)
    assert (found.auxiliary, found.reversal, found.weighing) == (0.1, 1.0, "shared")
