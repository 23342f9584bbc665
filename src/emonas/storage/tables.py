"""CSV tables with fixed columns."""

import csv
import warnings
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
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
        if path.exists() and not (path.is_file() or path.is_dir()):
            raise EmonasError(f"{path}: this is a pipe or a device; give a file")
        table = read_cells(path, dtype=str)
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


def read_cells(path: Path, **options: Any) -> pd.DataFrame:
    """Read a CSV in UTF-8 by pandas, whose columns are those of the header and no others.

    pandas would take the first cells of rows that are too long for an index, and so shift all.

    Raises:
        pandas.errors.ParserError: a row has more cells than the header, or it is no CSV.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("error", pd.errors.ParserWarning)
        try:
            table: pd.DataFrame = pd.read_csv(
                path, index_col=False, keep_default_na=False, encoding="utf-8-sig", **options
            )
        except pd.errors.ParserWarning as warning:
            raise pd.errors.ParserError(
                "the first row has more cells than the header; quote cells that have commas"
            ) from warning
    return table


def line_numbers(path: Path, rows: int) -> list[int]:
    """The lines at which the rows of a table begin: blank ones and those within cells count."""
    numbers = []
    with path.open(newline="", encoding="utf-8-sig") as file:
        reader, start = csv.reader(file), 1
        # A cell may be longer than csv reads; then lines are counted as if each had its own.
        with suppress(csv.Error):
            for cells in reader:
                if len(cells) > 1 or (cells and not cells[0].isspace()):
                    numbers.append(start)
                start = reader.line_num + 1
    found = numbers[1:]
    return found if len(found) == rows else list(range(2, rows + 2))
