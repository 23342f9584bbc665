"""What `results/checkpoints/{checkpoint}.json` holds: which weights were verified, and where."""

from dataclasses import dataclass, field
from pathlib import Path

from emonas.storage.documents import read_document

Given = dict[str, str | int | None]
"""What the settings say that weights must be, by `size` and `sha256`."""
Stamps = dict[str, tuple[int, int]]
"""Bytes and time of change (ns) of files by name."""


@dataclass(frozen=True)
class Record:
    """Verified weights: their SHA-256, and how their files looked when it was taken.

    `given` is what the settings said then that they must be.
    """

    name: str
    path: str
    digest: str
    size: int
    files: Stamps
    given: Given = field(default_factory=dict)


def read_record(record: Path) -> Record:
    """Read a record as it stands; nobody looks at the weights.

    Raises:
        EmonasError: the record is missing or damaged.
    """
    return read_document(record, Record, "no record of a checkpoint")
