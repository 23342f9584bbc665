import numpy as np
import torch

from emonas.networks.streams import Stream
from emonas.systems.task_outputs import Asked, spelt, task_predictions


def paths(*rows):
    """Logits whose likeliest answers are the given paths."""
    longest = max(map(len, rows))
    frames = torch.zeros(len(rows), longest, 5)
    for row, path in enumerate(rows):
        for step, answer in enumerate(path):
            frames[row, step, answer] = 1
    return Stream(frames, torch.tensor([len(path) for path in rows]))


def test_a_path_spells_repeats_once_and_blanks_never():
    characters = (" ", "a", "b", "c")
    stream = paths([2, 2, 0, 2, 3, 1, 1, 4], [0, 0, 0], [1, 2, 1], [4, 0, 4])
    assert spelt(stream, characters) == ("aab c", "", "a", "cc")


def test_what_stands_behind_an_utterance_s_end_is_not_spelt():
    frames = paths([2, 3, 4, 4]).frames
    assert spelt(Stream(frames, torch.tensor([2])), ("x", "a", "b", "c")) == ("ab",)


def test_answers_are_told_by_name_beside_what_is_known():
    logits = torch.tensor([[[0.1, 0.9]], [[0.8, 0.2]]])
    asked = Asked({"gender": ("female", "male")}, {"gender": ["male", ""]})
    found = task_predictions({"gender": Stream(logits, torch.tensor([1, 1]))}, asked, 2)["gender"]
    assert found.said == ("male", "female")
    assert found.truth == ("male", "")
    np.testing.assert_allclose(found.logits, logits[:, 0])
    unknown = task_predictions(
        {"gender": Stream(logits, torch.tensor([1, 1]))}, Asked(asked.answers, {}), 2
    )["gender"]
    assert unknown.truth == ("", "")
