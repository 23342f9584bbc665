"""What SLURM says of a partition: whether it has cards, and how long and large a job may be."""

import json
import os
import re
import subprocess
from collections.abc import Iterable
from dataclasses import asdict, dataclass

KEPT = "EMONAS_PARTITIONS"
"""Environment variable that tells jobs what the login node was told: they don't ask again."""

_FORMAT = "%G|%l|%m"
_PATIENCE = 30.0
_DAY = 24 * 60


@dataclass(frozen=True)
class Partition:
    """A partition; `minutes` and `memory` (MB) are the most that a job gets, None without limit."""

    cards: bool = False
    minutes: int | None = None
    memory: int | None = None


def ask_partition(name: str) -> Partition:
    """What SLURM says of a partition, of its default one where the name is empty.

    Of SLURM nothing is known where there is no `sinfo`. What was asked is kept in the environment.
    """
    kept = json.loads(os.environ.get(KEPT, "{}"))
    if name not in kept:
        kept[name] = asdict(read_sinfo(_sinfo(name)))
        os.environ[KEPT] = json.dumps(kept)
    return Partition(**kept[name])


def _sinfo(name: str) -> list[str]:
    command = ["sinfo", "--noheader", f"--format=%P|{_FORMAT}"]
    if name:
        command.append(f"--partition={name}")
    try:
        done = subprocess.run(  # noqa: S603
            command, capture_output=True, text=True, timeout=_PATIENCE, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return []
    lines = [line.split("|", 1) for line in done.stdout.splitlines() if "|" in line]
    return [line for partition, line in lines if name or partition.endswith("*")]


def read_sinfo(lines: Iterable[str]) -> Partition:
    """A partition from lines of sinfo, one a kind of node: cards, time limit and memory."""
    rows = [line.split("|") for line in lines]
    if not rows:
        return Partition()
    memories = [int(digits[0]) for row in rows if (digits := re.findall(r"\d+", row[2]))]
    return Partition(
        cards=any(re.search(r"\bgpu\b", row[0]) for row in rows),
        # Of several partitions SLURM may choose any.
        minutes=min(filter(None, (_minutes(row[1]) for row in rows)), default=None),
        memory=max(memories, default=None),
    )


def _minutes(limit: str) -> int | None:
    """Minutes of `days-hours:minutes:seconds`, of which SLURM leaves out what is 0 in front."""
    if not re.fullmatch(r"(\d+-)?[\d:]+", limit):
        return None
    days, _, clock = limit.rpartition("-")
    parts = [int(part) for part in clock.split(":")]
    hours, minutes, _ = [0] * (3 - len(parts)) + parts
    return int(days or 0) * _DAY + hours * 60 + minutes
