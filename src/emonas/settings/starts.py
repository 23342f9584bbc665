"""Systems that train an encoder: what they hear, and from which other systems they start."""

from collections.abc import Iterable
from typing import Any

from emonas.errors import EmonasError
from emonas.systems.task_targets import tells_emotions
from emonas.systems.tuned_options import TunedOptions

_ALIKE = ("network", "inputs", "checkpoint", "random", "longest_seconds", "too_long")
"""What a system and the one that it starts from have in common."""


def check_starts(settings: Any) -> None:
    """Check that systems with an encoder hear a waveform, and start from systems like them.

    Raises:
        EmonasError: one hears something else, starts from another kind of system, or from itself
            in the end.
    """
    for name, system in settings.systems.items():
        if isinstance(system, TunedOptions):
            _check_input(settings, name, system)
            if system.start is not None:
                _check_start(settings, name, system, system.start)
                _check_chain(settings, name)


def check_started(path: str, systems: Iterable[str], name: str, system: Any) -> None:
    """Check that the system that one starts from is in the same run.

    Raises:
        EmonasError: it is not.
    """
    start = getattr(system, "start", None)
    if start is not None and start not in systems:
        raise EmonasError(f"{path}: {name} starts from {start}, which is not in this run; add it")


def check_emotions(settings: Any) -> None:
    """Check that every protocol is run with a system that learns emotion.

    Raises:
        EmonasError: one is not.
    """
    for index, run in enumerate(settings.runs):
        systems = [
            settings.systems[name]
            for other in settings.runs
            if other.protocol == run.protocol
            for name in other.systems
        ]
        if not any(map(tells_emotions, systems)):
            raise EmonasError(
                f"runs.{index}.systems: no system of {run.protocol} learns emotion; add one, such "
                "as one that starts from these"
            )


def check_tuned_stream(name: str, fusion: Any, stream: str, system: Any) -> None:
    """Check that a fusion has emotions to fuse, and trains no encoder on with it.

    Raises:
        EmonasError: it has not, or does.
    """
    if not tells_emotions(system):
        raise EmonasError(
            f"systems.{name}.fuse: {stream} does not learn emotion, so that there is nothing to "
            "fuse; name a system with that task"
        )
    if fusion.joint and isinstance(system, TunedOptions):
        raise EmonasError(
            f"systems.{name}.joint: {stream} trains an encoder of its own, which is not trained on "
            "with a fusion; leave joint out"
        )


def _check_input(settings: Any, name: str, system: TunedOptions) -> None:
    for entry in system.inputs:
        path, options = f"systems.{name}.inputs", settings.features[entry.feature]
        if options.gives not in ("waveform", "unknown"):
            raise EmonasError(
                f"{path}: {system.network} hears a waveform, and {entry.feature} is none; name a "
                "feature of `extractor: waveform`"
            )
        if entry.pool > 1 or entry.statistics or entry.normalise is not None:
            raise EmonasError(
                f"{path}: {system.network} hears {entry.feature} as it is; leave pool, statistics "
                "and normalise out"
            )


def _check_start(settings: Any, name: str, system: TunedOptions, start: str) -> None:
    other = settings.systems[start]
    for key in _ALIKE:
        if getattr(other, key, None) != getattr(system, key):
            raise EmonasError(
                f"systems.{name}.start: {start} has another {key} than {name}, which can't start "
                "from it; make them alike"
            )
    if "asr" in system.tasks and "asr" in other.tasks and other.characters != system.characters:
        raise EmonasError(
            f"systems.{name}.start: {start} spells with other characters than {name}; make them "
            "alike"
        )
    if system.refit != other.refit:
        raise EmonasError(
            f"systems.{name}.start: one of {start} and {name} has refit: true, so that one has "
            "learnt from what the other validates on; make them alike"
        )
    if system.refit and system.training.select != "last":
        raise EmonasError(
            f"systems.{name}.start: with refit: true {start} has learnt from those on whom {name} "
            "would choose its epoch; set training.select: last, or leave refit out of both"
        )


def _check_chain(settings: Any, name: str) -> None:
    passed, current = [name], settings.systems[name].start
    while current is not None:
        if current in passed:
            chain = " from ".join([*passed, current])
            raise EmonasError(f"systems.{name}.start: {chain} goes round; let one start anew")
        passed.append(current)
        current = getattr(settings.systems[current], "start", None)
