"""What the headers of an audio file say of its length."""

from dataclasses import dataclass
from typing import BinaryIO


class BrokenPromiseError(Exception):
    """Says what is wrong with a file and what to do, without naming it."""

    def __init__(self, problem: str, remedy: str = "copy it again") -> None:
        super().__init__(f"{problem}; {remedy}")


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
