"""`results/corpora/{corpus}/manifest.csv` and `problems.csv`."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

import pandas as pd

from emonas.errors import EmonasError, make_again
from emonas.storage.digests import check_digest, forget_digest, write_digest
from emonas.storage.tables import read_table, write_rows, write_table

_LONGEST = 1e6
"""Seconds of a recording: eleven days."""
UNKNOWN_SPEAKER = "unknown"
"""The speaker of an utterance whose reader finds none."""


@dataclass(frozen=True)
class Utterance:
    """A row of the manifest; `seconds` and `sampling_rate` (Hz) are those of the audio file."""

    utterance: str
    audio: str
    corpus: str
    language: str
    speaker: str
    gender: str
    session: str
    style: str
    text: str
    emotion: str
    seconds: float
    sampling_rate: int
    digest: str


@dataclass(frozen=True)
class Problem:
    """A file that could not be used, or not as it is: what is wrong, and what became of it."""

    file: str
    problem: str
    consequence: str = "left out"


MANIFEST_COLUMNS = tuple(Utterance.__dataclass_fields__)
PROBLEM_COLUMNS = tuple(Problem.__dataclass_fields__)


def write_manifest(path: Path, utterances: Iterable[Utterance]) -> None:
    """Write the manifest, sorted by utterance.

    Raises:
        EmonasError: two utterances have one name.
    """
    rows = [asdict(utterance) for utterance in utterances]
    table = pd.DataFrame(rows, columns=list(MANIFEST_COLUMNS)).sort_values("utterance")
    _refuse_doubles(path, table)
    forget_digest(path)
    write_table(path, table)
    write_digest(path)


def read_manifest(path: Path) -> pd.DataFrame:
    """Read a manifest; `seconds` is float, `sampling_rate` int, the rest text.

    Raises:
        EmonasError: it is not what was written, a column is missing, a number is none or
            impossible, or two utterances have one name.
    """
    check_digest(path)
    table = read_table(path, MANIFEST_COLUMNS)
    _refuse_doubles(path, table)
    try:
        typed = table.astype({"seconds": float, "sampling_rate": int})
    except (ValueError, OverflowError) as error:
        raise EmonasError(f"{path}: seconds and sampling_rate must be numbers ({error})") from error
    possible = (typed["seconds"] > 0) & (typed["seconds"] < _LONGEST) & (typed["sampling_rate"] > 0)
    if not possible.all():
        first = typed.loc[~possible, "utterance"].iloc[0]
        raise EmonasError(
            f"{path}: seconds and sampling_rate of {first} are those of no recording; "
            f"{make_again(path)}"
        )
    return typed


def write_problems(path: Path, problems: Iterable[Problem]) -> None:
    """Write the list of problems, sorted by file."""
    rows = sorted((asdict(problem) for problem in problems), key=lambda row: row["file"])
    write_rows(path, rows, PROBLEM_COLUMNS)


def read_problems(path: Path) -> pd.DataFrame:
    """Read the list of problems."""
    return read_table(path, PROBLEM_COLUMNS)


def _refuse_doubles(path: Path, table: pd.DataFrame) -> None:
    doubles = table.loc[table["utterance"].duplicated(), "utterance"]
    if len(doubles):
        raise EmonasError(
            f"{path}: {len(doubles)} utterances share a name with another, the first is "
            f"{doubles.iloc[0]}; give every utterance a name of its own"
        )
