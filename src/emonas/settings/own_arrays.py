"""Features of the user's own: those of the corpora of one protocol must be alike."""

from collections.abc import Iterator
from typing import Any

from emonas.errors import EmonasError
from emonas.settings.runnable import Runnable


def check_own_arrays(plan: Runnable) -> None:
    """Hold the frame rates and widths of a feature's files against each other, a file a corpus.

    Raises:
        EmonasError: they differ between corpora that a system hears together, or a file is of no
            known format.
    """
    for protocol, feature in dict.fromkeys(_heard(plan)):
        told: dict[str, tuple[float, str]] = {}
        for corpus in plan.heard_corpora(protocol):
            described = _described(plan.settings.features[feature], corpus)
            if described is not None:
                told[corpus] = described
        if len(set(told.values())) > 1:
            each = "; ".join(
                f"{corpus}: {shape}, {rate:g} frames a second"
                for corpus, (rate, shape) in told.items()
            )
            raise EmonasError(
                f"features.{feature}: differs between the corpora of {protocol} ({each}); write "
                "the files of all corpora alike"
            )


def _heard(plan: Runnable) -> Iterator[tuple[str, str]]:
    """Protocols, and the features from files of the user's own that their systems hear."""
    for protocol, system in plan.runs:
        for feature in plan.features_of(system):
            if hasattr(plan.settings.features[feature], "file"):
                yield protocol, feature


def _described(options: Any, corpus: str) -> tuple[float, str] | None:
    """Frame rate and shape of a corpus's arrays; None where its file is not there, or is empty."""
    from emonas.features.own_files import OwnArrays

    path = options.files(corpus)[0]
    if not path.exists():
        return None
    arrays = OwnArrays(path)
    if not arrays.names:
        return None
    width = arrays.read(min(arrays.names)).shape[1]
    return options.frame_rate or arrays.frame_rate, f"{width} features"
