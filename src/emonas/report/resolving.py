"""Under which protocol a figure of a table is, where the settings may say so in several places."""

from collections.abc import Iterable, Sequence
from typing import Protocol

from emonas.errors import EmonasError


class Running(Protocol):
    """Systems under a protocol: a run, or what of it could not be run."""

    @property
    def protocol(self) -> str:
        """The protocol's name."""

    @property
    def systems(self) -> Sequence[str]:
        """The systems' names."""


def protocol_of(
    path: str, system: str, named: Iterable[str | None], runs: Iterable[Running]
) -> str | None:
    """The first protocol that is named, or else the only one that the system is run under.

    Args:
        path: the key in the settings that shows the system.
        system: the system's name.
        named: what the column, the row and the table name, in this order.
        runs: all runs of the settings.

    Returns:
        None where none is named and the system is in no run.

    Raises:
        EmonasError: none is named, and the system is run under several.
    """
    if given := next(filter(None, named), None):
        return given
    known = sorted({run.protocol for run in runs if system in run.systems})
    if len(known) > 1:
        raise EmonasError(
            f"{path}: {system} is run under {' and '.join(known)}; name the protocol that is meant"
        )
    return next(iter(known), None)
