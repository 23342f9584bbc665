"""The folds of a protocol."""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from emonas.errors import EmonasError
from emonas.protocols.holdouts import holdouts
from emonas.protocols.listed import listed_folds
from emonas.protocols.options import ProtocolOptions
from emonas.protocols.validation import validating
from emonas.storage.folds import Part


@dataclass(frozen=True)
class Fold:
    """One fold: what is held out, and the selected utterances of each part."""

    held_out: str
    parts: Mapping[Part, pd.DataFrame]


def split(name: str, table: pd.DataFrame, options: ProtocolOptions) -> dict[str, Fold]:
    """Split the selected utterances into the folds of the protocol `name`.

    Raises:
        EmonasError: the utterances can't be split so, a part of a fold is empty, or an utterance
            has no language where that is its domain.
    """
    _refuse_nameless(name, table, options)
    folds = _from_list(table, options) if options.test == "list" else _made(name, table, options)
    for fold, made in folds.items():
        for part, rows in made.parts.items():
            if not len(rows) and not options.may_be_empty(part):
                raise EmonasError(
                    f"protocols.{name}: the fold {fold} has no utterance in its {part} part; "
                    "it takes more speakers, sessions or groups, or another test or validate"
                )
    return folds


def _refuse_nameless(name: str, table: pd.DataFrame, options: ProtocolOptions) -> None:
    nameless = table[table["domain"] == ""]
    if options.has_domains and len(nameless):
        raise EmonasError(
            f"protocols.{name}.domain: {len(nameless)} utterances have no {options.domain}, the "
            f"first is {nameless['utterance'].iloc[0]} of {nameless['corpus'].iloc[0]}; give the "
            "corpus its language, or choose domain: corpus"
        )


def _from_list(table: pd.DataFrame, options: ProtocolOptions) -> dict[str, Fold]:
    folds = listed_folds(options.listed, table, options.corpora) if options.listed else {}
    return {fold: Fold(held_out=fold, parts=parts) for fold, parts in folds.items()}


def _made(name: str, table: pd.DataFrame, options: ProtocolOptions) -> dict[str, Fold]:
    tested = holdouts(name, table, options)
    folds = {}
    for position, holdout in enumerate(tested):
        validation = validating(name, table, options, tested, position)
        parts: dict[Part, pd.DataFrame] = {
            "train": table[~holdout.mask & ~validation],
            "validation": table[validation],
            "test": table[holdout.mask],
        }
        folds[holdout.fold] = Fold(held_out=holdout.held_out, parts=parts)
    return folds
