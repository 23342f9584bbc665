"""How large a feature will be, and how long it takes, from its first batches."""

import sys
import time
from collections.abc import Sequence

import pandas as pd

from emonas.jobs import report_line
from emonas.storage.features import Array

WARM_UP = 1
"""Batches that are not measured: the first loads libraries and allocates memory."""


WORTH_SAYING = 5.0
"""Seconds below which the terminal is left alone."""


class Forecast:
    """Says once, after a few batches, what an extraction will take."""

    def __init__(self, name: str, rows: pd.DataFrame, batches: Sequence[pd.DataFrame]) -> None:
        self._name = name
        self._seconds = float(rows["seconds"].sum())
        self._lengths = [float(batch["seconds"].sum()) for batch in batches]
        self._done = 0
        self._started = time.monotonic()
        left = sum(map(len, batches))
        report_line(f"{name}: {left} of {len(rows)} utterances, {sum(self._lengths) / 60:.1f} min")

    def step(self, extracted: Sequence[Array], bytes_a_number: int) -> None:
        """Say after the first measured batch how large and how long, if more is to come."""
        self._done += 1
        if self._done == WARM_UP:
            self._started = time.monotonic()
        if self._done != WARM_UP + 1 or self._done == len(self._lengths):
            return
        measured = self._lengths[WARM_UP]
        size = sum(array.size for array in extracted) * bytes_a_number * self._seconds / measured
        left = (time.monotonic() - self._started) * sum(self._lengths[self._done :]) / measured
        line = f"{self._name}: about {_size(size)}, {_duration(left)} to go"
        report_line(line)
        if left > WORTH_SAYING:
            print(f"  {line}", file=sys.stderr, flush=True)


def _size(number: float) -> str:
    return f"{number / 1e9:.1f} GB" if number > 1e9 else f"{number / 1e6:.0f} MB"


def _duration(seconds: float) -> str:
    return f"{seconds / 60:.0f} min" if seconds > 90 else f"{seconds:.0f} s"
