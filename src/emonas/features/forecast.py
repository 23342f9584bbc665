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
    """Says once, after a few batches, what an extraction will take.

    Time is taken to grow with the audio, and the file with it, or with the number of utterances.
    """

    def __init__(
        self,
        name: str,
        rows: pd.DataFrame,
        batches: Sequence[pd.DataFrame],
        *,
        least: float = 0.0,
        fixed_length: bool = False,
    ) -> None:
        """Say how much is to be done.

        Args:
            name: what is extracted from what.
            rows: the manifest.
            batches: what of it is to be extracted, in its order.
            least: the seconds of work that an utterance counts for at least.
            fixed_length: whether utterances of any length take the same place in the file.
        """
        self._name = name
        self._work = [float(batch["seconds"].clip(lower=least).sum()) for batch in batches]
        measured = batches[WARM_UP] if len(batches) > WARM_UP else rows
        self._growth = (
            len(rows) / len(measured)
            if fixed_length
            else float(rows["seconds"].sum() / measured["seconds"].sum())
        )
        self._done = 0
        self._started = time.monotonic()
        left = sum(map(len, batches))
        minutes = sum(float(batch["seconds"].sum()) for batch in batches) / 60
        report_line(f"{name}: {left} of {len(rows)} utterances, {minutes:.1f} min")

    def step(self, extracted: Sequence[Array], bytes_a_number: int) -> None:
        """Say after the first measured batch how large and how long, if more is to come."""
        self._done += 1
        if self._done == WARM_UP:
            self._started = time.monotonic()
        if self._done != WARM_UP + 1 or self._done == len(self._work):
            return
        size = sum(array.size for array in extracted) * bytes_a_number * self._growth
        taken = time.monotonic() - self._started
        left = taken * sum(self._work[self._done :]) / self._work[WARM_UP]
        line = f"{self._name}: about {_size(size)}, {_duration(left)} to go"
        report_line(line)
        if left > WORTH_SAYING:
            print(f"  {line}", file=sys.stderr, flush=True)


def _size(number: float) -> str:
    return f"{number / 1e9:.1f} GB" if number > 1e9 else f"{number / 1e6:.0f} MB"


def _duration(seconds: float) -> str:
    return f"{seconds / 60:.0f} min" if seconds > 90 else f"{seconds:.0f} s"
