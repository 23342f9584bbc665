"""What a trained system says must be numbers: of logits that are none, argmax takes the first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import numpy.typing as npt

from emonas.errors import EmonasError

if TYPE_CHECKING:
    from emonas.storage.predictions import Predictions

    Flags: TypeAlias = npt.NDArray[np.bool_]


def refuse_none_numbers(path: Path, parts: Mapping[str, Predictions]) -> None:
    """Refuse predictions of which some are no numbers, before they become scores.

    A logit may be minus infinity, where the system can't answer so, but not all of an utterance.

    Args:
        path: the file that they are for; it names system, seed and fold.
        parts: the predictions by part.

    Raises:
        EmonasError: an utterance has such.
    """
    for name, part in parts.items():
        for what, usable in _usable(part):
            if not usable.all():
                first = int(np.argmin(usable))
                raise EmonasError(
                    f"{path}: not written, because in the part {name} the {what} of "
                    f"{part.utterances[first]} of {part.corpora[first]} holds numbers that are "
                    f"none or infinite ({np.count_nonzero(~usable)} of {len(usable)} utterances); "
                    "correct or scale the features that the system hears of it"
                )


def _usable(part: Predictions) -> Iterator[tuple[str, Flags]]:
    """Of each array what it is, and which utterances have numbers in it."""
    yield "embedding", _finite(part.embedding)
    if part.classes:
        yield "logits", _ranked(part.logits)
    if part.gates is not None:
        yield "gates", _finite(part.gates)
    for task, found in part.tasks.items():
        if found.logits is not None:
            yield f"logits of {task}", _ranked(found.logits)


def _finite(values: npt.NDArray[np.float32]) -> Flags:
    return np.asarray(np.isfinite(values).all(axis=1))


def _ranked(logits: npt.NDArray[np.float32]) -> Flags:
    """Whether one of them is the largest."""
    known = np.isfinite(logits) | np.isneginf(logits)
    return np.asarray(known.all(axis=1) & np.isfinite(logits).any(axis=1))
