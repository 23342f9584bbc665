"""What the headers of an audio file say of its length."""

from dataclasses import dataclass
from typing import BinaryIO


class BrokenPromiseError(Exception):
    """Says what is wrong with a file, without naming it."""


@dataclass(frozen=True)
class File:
    """A file as a container is asked about it: its content, its size in bytes, its rate in Hz."""

    content: BinaryIO
    size: int
    rate: int


@dataclass(frozen=True)
class Promise:
    """Samples of each channel, and how many more or fewer a decoder may give."""

    samples: int
    tolerance: int = 0
