"""Which habits that inflate scores a system's training can have."""

from collections.abc import Iterator

from emonas.storage.inflated import BEST_EPOCH, SCALED
from emonas.systems.options import SystemOptions, TrainedOptions
from emonas.systems.task_targets import tells_emotions


def inflating_habits(options: SystemOptions) -> list[str]:
    """The habits, in their order; none for a system that does not learn emotion."""
    return list(_habits(options)) if tells_emotions(options) else []


def _habits(options: SystemOptions) -> Iterator[str]:
    trained = isinstance(options, TrainedOptions)
    if trained or options.chooses:
        yield BEST_EPOCH
    solved = not trained
    if solved or (options.normalise == "feature" and _scales(options)):
        yield SCALED


def _scales(options: SystemOptions) -> bool:
    """Whether any input is standardised by statistics of the training part."""
    return any(entry.normalise != "none" for entry in options.inputs)
