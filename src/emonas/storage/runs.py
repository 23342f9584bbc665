"""Runs of consecutive rows, which are read and written at once."""

from collections.abc import Iterator, Sequence
from itertools import pairwise


def runs_of(rows: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Give first and last of every run of consecutive numbers."""
    breaks = [0, *(i for i in range(1, len(rows)) if rows[i] != rows[i - 1] + 1), len(rows)]
    for start, end in pairwise(breaks):
        if end > start:
            yield rows[start], rows[end - 1]
