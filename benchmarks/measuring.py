"""What every benchmark does alike: both sides in one run, the median of ratios, one JSON file."""

import json
import os
import platform
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from emonas.machine import processor_name

RESULTS = Path("results/bench")
MACHINE = RESULTS / "machine.json"


@dataclass(frozen=True)
class Row:
    """A row of the table: `ratio` is held against `bar`, `value` is what it was made from.

    `limit` says in words how far the row is from what the machine can do.
    """

    name: str
    ratio: float
    value: float
    unit: str
    spread: tuple[float, float]
    bar: str
    holds: bool
    limit: str = ""

    def write(self) -> None:
        """Write results/bench/NAME.json and print the row."""
        RESULTS.mkdir(parents=True, exist_ok=True)
        document = {**self.__dict__, "machine": machine()}
        text = json.dumps(document, indent=1, ensure_ascii=False)
        (RESULTS / f"{self.name}.json").write_text(text + "\n", encoding="utf-8")
        low, high = self.spread
        verdict = "holds" if self.holds else "DOES NOT HOLD"
        print(
            f"{self.name}: {self.ratio:.2f} ({low:.2f} to {high:.2f}), {self.value:.3g} "
            f"{self.unit}; bar: {self.bar}; {verdict}{'; ' if self.limit else ''}{self.limit}"
        )


def of_peak(operations: float, own: float, threads: int) -> str:
    """Say which share of the machine's float32 products a side reaches.

    Args:
        operations: multiplications and additions.
        own: seconds that they took.
        threads: how many computed.
    """
    rate = operations / own / 1e9
    if not MACHINE.exists():
        return f"{rate:.0f} GFLOP/s"
    peak = json.loads(MACHINE.read_text(encoding="utf-8"))["products"][str(threads)]
    return f"{rate:.0f} GFLOP/s, {rate / peak:.0%} of {peak:.0f}"


def machine() -> str:
    """Processor, cores, Python: what a figure is a figure of."""
    return f"{processor_name()}, {os.cpu_count()} cores, Python {platform.python_version()}"


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else []


def seconds(work: Callable[[], object]) -> float:
    """Wall seconds of one call."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def ratios(
    ours: Callable[[], object],
    theirs: Callable[[], object],
    rounds: int,
    before: Callable[[], object] = lambda: None,
) -> tuple[list[float], float]:
    """How many times as long theirs takes as ours, round by round, and the median of ours.

    The sides take turns, so that what else the machine does falls on both.
    """
    found, own = [], []
    for _ in range(rounds):
        before()
        mine = seconds(ours)
        before()
        found.append(seconds(theirs) / mine)
        own.append(mine)
    return found, statistics.median(own)


def spread(values: Sequence[float]) -> tuple[float, float]:
    """The quartiles around the median."""
    ordered = sorted(values)
    return ordered[len(ordered) // 4], ordered[-1 - len(ordered) // 4]
