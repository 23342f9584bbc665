"""Verified weights on this machine, and the record that says so."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Checkpoint:
    """Weights that are there: `path` is a file or a folder, `digest` its SHA-256."""

    name: str
    path: Path
    digest: str
