"""`results/protocols/{protocol}/folds.csv`, `{fold}/{train,validation,test}.csv` and
`transfer/{corpus}.csv`.
"""

from pathlib import Path
from typing import Literal

import pandas as pd

from emonas.errors import EmonasError
from emonas.storage.tables import read_table, write_table

Part = Literal["train", "validation", "test"]
PARTS: tuple[Part, ...] = ("train", "validation", "test")
TRANSFER = "transfer"
"""The folder of the other corpora; no fold has this name."""
PART_COLUMNS = ("utterance", "corpus", "label", "domain")
INDEX_COLUMNS = ("fold", "held_out", "train", "validation", "test")


def write_part(path: Path, table: pd.DataFrame) -> None:
    """Write one part of one fold, sorted by corpus and utterance."""
    write_table(path, table[list(PART_COLUMNS)].sort_values(["corpus", "utterance"]))


def read_part(path: Path) -> pd.DataFrame:
    """Read one part of one fold.

    Raises:
        EmonasError: a column is missing, or an utterance stands there twice.
    """
    table = read_table(path, PART_COLUMNS)
    if table.duplicated(["corpus", "utterance"]).any():
        raise EmonasError(f"{path}: an utterance stands there twice; remake it from the protocol")
    return table


def write_index(path: Path, table: pd.DataFrame) -> None:
    """Write the index of a protocol's folds: who is held out, and utterances a part."""
    write_table(path, table[list(INDEX_COLUMNS)])


def read_index(path: Path) -> pd.DataFrame:
    """Read the index of a protocol's folds; the three parts are counts of utterances."""
    return read_table(path, INDEX_COLUMNS).astype(dict.fromkeys(PARTS, int))
