"""CSV tables with fixed columns."""

import csv
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from emonas.errors import EmonasError
from emonas.storage.atomic import whole_file


def write_table(path: Path, table: pd.DataFrame) -> None:
    """Write a table as CSV, whole or not at all."""
    # Python's csv leaves a lone carriage return unquoted, and it would be read as a line's end.
    returns = table.astype(str).apply(lambda column: column.str.contains("\r", regex=False))
    quoting: Literal[0, 2] = (
        csv.QUOTE_NONNUMERIC if returns.to_numpy(dtype=bool).any() else csv.QUOTE_MINIMAL
    )
    with whole_file(path) as temporary:
        table.to_csv(temporary, index=False, lineterminator="\n", quoting=quoting)


def write_rows(
    path: Path, rows: Iterable[Mapping[str, Any]], columns: Sequence[str] | None = None
) -> None:
    """Write rows as CSV; `columns` orders them, and names those of an empty table."""
    write_table(path, pd.DataFrame(list(rows), columns=None if columns is None else list(columns)))


def read_table(path: Path, columns: Sequence[str] = ()) -> pd.DataFrame:
    """Read a CSV whose cells are all text, and check that `columns` are there.

    Raises:
        EmonasError: the file is missing, is no CSV, or lacks a column.
    """
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8")
    except FileNotFoundError as error:
        raise EmonasError(f"{path}: no such file") from error
    except OSError as error:
        raise EmonasError(f"{path}: can't be read ({error.strerror})") from error
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise EmonasError(f"{path}: this is no CSV table in UTF-8 ({error})") from error
    missing = [column for column in columns if column not in table.columns]
    if missing:
        raise EmonasError(
            f"{path}: the column {missing[0]} is missing; there are {', '.join(table.columns)}"
        )
    return table
