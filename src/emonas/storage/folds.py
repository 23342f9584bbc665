"""`results/protocols/{protocol}/folds.csv`, `{fold}/{train,validation,test}.csv` and
`transfer/{corpus}.csv`, each with a digest beside it.

A lost line leaves a table like any other, with fewer utterances, or a protocol with fewer folds.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import pandas as pd

from emonas.errors import EmonasError, make_again
from emonas.storage.digests import check_digest, forget_digest, write_digest
from emonas.storage.tables import read_table, write_table

Part = Literal["train", "validation", "test"]
PARTS: tuple[Part, ...] = ("train", "validation", "test")
TRANSFER = "transfer"
"""The folder of the other corpora; no fold has this name."""
PART_COLUMNS = ("utterance", "corpus", "label", "domain")
INDEX_COLUMNS = ("fold", "held_out", "train", "validation", "test")
_FILLED = ("utterance", "corpus", "label")
"""A domain has no name where the protocol has none."""


def write_part(path: Path, table: pd.DataFrame) -> None:
    """Write one part of one fold, sorted by corpus and utterance."""
    _write(path, table[list(PART_COLUMNS)].sort_values(["corpus", "utterance"]))


def read_part(path: Path) -> pd.DataFrame:
    """Read one part of one fold.

    Raises:
        EmonasError: it is not what was written, a column or a cell is missing, or an utterance
            stands there twice.
    """
    table = _read(path, PART_COLUMNS, _FILLED)
    if table.duplicated(["corpus", "utterance"]).any():
        raise EmonasError(f"{path}: an utterance stands there twice; remake it from the protocol")
    return table


def write_index(path: Path, table: pd.DataFrame) -> None:
    """Write the index of a protocol's folds: who is held out, and utterances a part."""
    _write(path, table[list(INDEX_COLUMNS)])


def read_index(path: Path) -> pd.DataFrame:
    """Read the index of a protocol's folds; the three parts are counts of utterances.

    Raises:
        EmonasError: it is not what was written, a column or a cell is missing, a count is no
            number, or there is no fold or one twice.
    """
    table = _read(path, INDEX_COLUMNS, ("fold", *PARTS))
    try:
        counted = table.astype(dict.fromkeys(PARTS, int))
    except (ValueError, OverflowError) as error:
        raise EmonasError(f"{path}: a count is no number ({error}); {make_again(path)}") from error
    if counted["fold"].duplicated().any() or not len(counted):
        raise EmonasError(f"{path}: a fold stands there twice, or none at all; {make_again(path)}")
    return counted


def _write(path: Path, table: pd.DataFrame) -> None:
    forget_digest(path)
    write_table(path, table)
    write_digest(path)


def _read(path: Path, columns: Sequence[str], filled: Sequence[str]) -> pd.DataFrame:
    """Read a table of which some columns have no empty cell."""
    check_digest(path)
    table = read_table(path, columns)
    for column in filled:
        # Pandas has none or an empty text where a line ends early.
        if (table[column].isna() | (table[column] == "")).any():
            raise EmonasError(f"{path}: a line has no {column}; {make_again(path)}")
    return table
