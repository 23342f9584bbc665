"""Which tasks a network has, and how much each weighs (Two-stage fine-tuning, 2.1)."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field

from emonas.options import Options
from emonas.storage.predictions import EMOTION

Task = Literal["emotion", "asr", "gender", "style"]


class TaskOptions(Options):
    """One task."""

    weight: float | None = Field(
        None, gt=0, description="its weight in the loss; by eq. 1 or eq. 2 where no task has one"
    )
    adversarial: bool = Field(
        False,
        description="reverse its gradient below its head, so that the encoder unlearns it (eq. 2)",
    )


Tasks = dict[Task, TaskOptions]


def tasks_by_name(value: Any) -> Any:
    """A list of tasks is each without options, and a number is a task's weight."""
    if isinstance(value, list | tuple):
        if len(set(value)) < len(value):
            raise ValueError("a task is named twice")
        return {task: {} for task in value}
    if isinstance(value, Mapping):
        return {task: _by_weight(options) for task, options in value.items()}
    return value


def _by_weight(value: Any) -> Any:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return {"weight": value} if number else value


def task_weights(tasks: Tasks, auxiliary: float, literal: bool) -> dict[str, float]:
    """The weight of each task's loss.

    Where no task has a weight of its own, emotion has 1 - `auxiliary` and the others share the
    rest. To the letter, emotion has alpha = gamma = `auxiliary`, each other task a third of the
    rest (eq. 1), and an adversarial one all of it (eq. 2). Tasks without emotion weigh 1 each.
    """
    if any(options.weight is not None for options in tasks.values()):
        return {task: options.weight or 0.0 for task, options in tasks.items()}
    others: list[str] = [task for task in tasks if task != EMOTION]
    if len(others) == len(tasks) or not others:
        return dict.fromkeys(tasks, 1.0)
    rest = 1 - auxiliary
    if not literal:
        return {EMOTION: rest} | dict.fromkeys(others, auxiliary / len(others))
    of_others: dict[str, float] = {
        task: rest if options.adversarial else rest / 3
        for task, options in tasks.items()
        if task != EMOTION
    }
    return {EMOTION: auxiliary, **of_others}
