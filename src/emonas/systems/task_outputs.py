"""What a network says to tasks beside emotion, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from emonas.storage.predictions import ASR, TaskPredictions

if TYPE_CHECKING:
    from emonas.networks.streams import Stream

BLANK = 0
"""The answer of CTC that is no character."""


class Asked(NamedTuple):
    """The answers that a network can give to each task, and what is known to be right of each
    utterance; empty text where nobody knows it.
    """

    answers: Mapping[str, Sequence[str]]
    known: Mapping[str, Sequence[str]]


def task_predictions(
    outputs: Mapping[str, Stream], asked: Asked, count: int
) -> dict[str, TaskPredictions]:
    """What a network says of `count` utterances, by task."""
    return {
        task: _of_task(task, outputs[task], answers, asked.known.get(task, ("",) * count))
        for task, answers in asked.answers.items()
    }


def _of_task(
    task: str, stream: Stream, answers: Sequence[str], known: Sequence[str]
) -> TaskPredictions:
    if task == ASR:
        return TaskPredictions(tuple(known), spelt(stream, answers), tuple(answers))
    logits = stream.frames[:, 0]
    said = tuple(answers[number] for number in logits.argmax(dim=1).tolist())
    return TaskPredictions(tuple(known), said, tuple(answers), logits.float().numpy())


def spelt(stream: Stream, characters: Sequence[str]) -> tuple[str, ...]:
    """The texts of the likeliest paths: repeats are one, blanks are none (Graves et al. 2006).

    Args:
        stream: `frames` (utterances, frames, characters + 1), the first for the blank.
        characters: those that the others are for.
    """
    paths = stream.frames.argmax(dim=2)
    texts = []
    for path, length in zip(paths.tolist(), stream.lengths.tolist(), strict=True):
        own = path[:length]
        heard = [b for a, b in zip([BLANK, *own], own, strict=False) if b not in (a, BLANK)]
        texts.append(" ".join("".join(characters[number - 1] for number in heard).split()))
    return tuple(texts)
