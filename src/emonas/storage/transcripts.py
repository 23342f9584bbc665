"""`results/features/{corpus}/{transcript}.csv`: what a recogniser heard."""

from collections.abc import Mapping
from pathlib import Path

from emonas.errors import EmonasError, make_again
from emonas.storage.tables import read_table, write_rows

TRANSCRIPT_COLUMNS = ("utterance", "text")


def write_transcript(path: Path, texts: Mapping[str, str]) -> None:
    """Write the words of each utterance, sorted by utterance; no words are an empty cell."""
    rows = [{"utterance": name, "text": texts[name]} for name in sorted(texts)]
    write_rows(path, rows, TRANSCRIPT_COLUMNS)


def read_transcript(path: Path) -> dict[str, str]:
    """Read the words of each utterance.

    Raises:
        EmonasError: the file is missing, a column is missing, or an utterance stands there twice.
    """
    table = read_table(path, TRANSCRIPT_COLUMNS)
    doubles = table.loc[table["utterance"].duplicated(), "utterance"]
    if len(doubles):
        raise EmonasError(f"{path}: {doubles.iloc[0]} stands there twice; {make_again(path)}")
    return dict(zip(table["utterance"], table["text"], strict=True))
