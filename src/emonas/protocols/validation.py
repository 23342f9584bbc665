"""What validates each fold: a speaker, the partner, a session, a group, a random share."""

import numpy as np
import pandas as pd

from emonas.protocols.holdouts import Holdout, Mask, draw, require
from emonas.protocols.options import ProtocolOptions


def validating(
    name: str,
    table: pd.DataFrame,
    options: ProtocolOptions,
    tested: list[Holdout],
    position: int,
) -> Mask:
    """Give the utterances that validate the fold at `position`, as a mask over the selected ones.

    Raises:
        EmonasError: an utterance has no speaker or session where one is needed, or the rest is
            too small for a random share.
    """
    test = tested[position].mask
    if options.validation == "group":
        return tested[(position + 1) % len(tested)].mask
    if options.validation == "partner":
        sessions = table.loc[test, "session"].unique()
        return np.asarray(table["session"].isin(sessions)) & ~test
    if options.validation == "random":
        rest = np.flatnonzero(~test)
        number = options.first + position
        # The last number keeps this draw apart from the one that chose the test part.
        drawn = draw(name, table.iloc[rest], options.validation_share, options.seed, number, 1)
        return _at(len(table), rest[drawn])
    if options.validation in ("speaker", "session"):
        require(name, table, options.validation)
        following = _next(table[options.validation], test)
        return np.asarray(table[options.validation] == following) & ~test
    return np.zeros(len(table), dtype=np.bool_)


def _at(size: int, positions: np.ndarray) -> Mask:
    mask = np.zeros(size, dtype=np.bool_)
    mask[positions] = True
    return mask


def _next(column: pd.Series, test: Mask) -> str | None:
    """The name that follows the first tested one in cyclic order and is not tested itself."""
    names = sorted(column.unique())
    tested = set(column[test])
    first = names.index(min(tested))
    cyclic = names[first:] + names[:first]
    return next((name for name in cyclic if name not in tested), None)
