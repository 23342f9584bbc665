"""Folds that a CSV names utterance by utterance."""

import re
from collections.abc import Hashable
from pathlib import Path

import pandas as pd

from emonas.errors import EmonasError
from emonas.storage.folds import PARTS, TRANSFER, Part
from emonas.storage.tables import line_numbers, read_table


def read_list(path: Path, corpora: tuple[str, ...]) -> pd.DataFrame:
    """Read a list of folds as a table of utterance, fold, part and corpus.

    Without the column `corpus` an utterance belongs to whichever corpus has it.

    Raises:
        EmonasError: the file is missing or no such list, names a part or corpus that is none,
            a fold that can't be a folder, or an utterance twice in a fold.
    """
    table = read_table(path, ("utterance", "fold", "part"))
    if not len(table):
        raise EmonasError(f"{path}: the list is empty")
    lines = line_numbers(path, len(table))
    for number, row in zip(lines, table.to_dict("records"), strict=True):
        _check_row(f"{path}: line {number}", row, corpora)
    keys = ["fold", "utterance", *(["corpus"] if "corpus" in table.columns else [])]
    doubles = table[table.duplicated(keys)]
    if len(doubles):
        first = doubles.iloc[0]
        raise EmonasError(
            f"{path}: the fold {first['fold']} names {first['utterance']} twice; name it once"
        )
    return table


def _check_row(line: str, row: dict[Hashable, str], corpora: tuple[str, ...]) -> None:
    if row["part"] not in PARTS:
        raise EmonasError(f"{line}: {row['part']!r} is no part; write {', '.join(PARTS)}")
    # Not all dots: such a folder would be the one above.
    if not re.fullmatch(r"[A-Za-z0-9_.-]*[A-Za-z0-9_-][A-Za-z0-9_.-]*", row["fold"]):
        raise EmonasError(
            f"{line}: the fold {row['fold']!r} can't name a folder; use letters, digits, _ . -"
        )
    if row["fold"] == TRANSFER:
        raise EmonasError(f"{line}: no fold can be named {TRANSFER}; rename it")
    if row.get("corpus", corpora[0]) not in corpora:
        raise EmonasError(f"{line}: the protocol has no corpus {row['corpus']!r}")


def listed_folds(
    path: Path, table: pd.DataFrame, corpora: tuple[str, ...]
) -> dict[str, dict[Part, pd.DataFrame]]:
    """Give the selected utterances of each fold and part of a list, folds in the list's order.

    What the list names and the protocol does not select is left out.

    Raises:
        EmonasError: the list is faulty, or an utterance could belong to two corpora.
    """
    listing = read_list(path, corpora)
    keys = ["corpus", "utterance"] if "corpus" in listing.columns else ["utterance"]
    if keys == ["utterance"]:
        twice = table.loc[table["utterance"].duplicated(), "utterance"]
        shared = twice[twice.isin(listing["utterance"])]
        if len(shared):
            raise EmonasError(
                f"{path}: {shared.iloc[0]} is an utterance of more than one corpus; "
                "add the column corpus to the list"
            )
    joined = listing[[*keys, "fold", "part"]].merge(table, on=keys)
    return {
        str(fold): {
            part: joined.loc[
                (joined["fold"] == fold) & (joined["part"] == part), list(table.columns)
            ]
            for part in PARTS
        }
        for fold in listing["fold"].unique()
    }


def unknown_utterances(path: Path, manifest: pd.DataFrame, corpora: tuple[str, ...]) -> list[str]:
    """Give the utterances of a list that no manifest has."""
    listing = read_list(path, corpora)
    if "corpus" not in listing.columns:
        return sorted(set(listing["utterance"]) - set(manifest["utterance"]))
    there = set(zip(manifest["corpus"], manifest["utterance"], strict=True))
    named = set(zip(listing["corpus"], listing["utterance"], strict=True))
    return sorted(utterance for _, utterance in named - there)
