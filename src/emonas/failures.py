"""What a run that failed says at its end: which jobs failed, and why."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import yaml

from emonas.jobs import CRASHED, FAILED, STOPPED_IN

_FAULTS = ("Segmentation fault", "Illegal instruction")
"""Crashes that want of memory does not cause."""
_TIME = re.compile(r"^\d\d:\d\d:\d\d ")


def failure_lines(
    failed: Iterable[tuple[str, Path | None]],
    left: int,
    *,
    goes_on: bool,
    leave_out: Mapping[str, Sequence[str]] | None = None,
) -> Iterator[str]:
    """A line a failed job, and on what was not run for it, and how to have the report without.

    Args:
        failed: rule and log of each failed job.
        left: jobs that were not run.
        leave_out: systems by protocol without which all others can be reported.
        goes_on: whether jobs that need none of the failed ones were run all the same.
    """
    for rule, log in sorted(failed, key=str):
        yield f"failed: {log or rule}: {why_failed(log)}"
    jobs = "1 job" if left == 1 else f"{left} jobs"
    if left and goes_on:
        yield f"not run, because of what failed: {jobs}"
    elif left:
        yield (
            f"not run: {jobs}; with --keep-going, which `make run` has, those that do not need "
            "what failed are run"
        )
    if goes_on and leave_out:
        named = yaml.safe_dump(leave_out, default_flow_style=True, width=float("inf"))
        yield (
            "for a report of all others meanwhile, which leaves what is made as it is, set in the "
            f"settings file: leave_out: {named.strip()}"
        )


def why_failed(log: Path | None) -> str:
    """What ended a job, by its log: its own last words, or that it has none."""
    try:
        lines = [] if log is None else log.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        lines = []
    said = [_TIME.sub("", line) for line in lines if line.strip()]
    ends = [row for row, line in enumerate(said) if line.startswith(FAILED)]
    if ends:
        # A traceback follows the line that begins it, and its last line is the error.
        return said[-1].removeprefix(FAILED)
    signs = [row for row, line in enumerate(said) if line.startswith((CRASHED, STOPPED_IN))]
    told, tail = (said, []) if not signs else (said[: signs[0]], said[signs[0] :])
    last = f"; its log ends with: {told[-1]}" if told else ""
    return f"{_by_signal(tail)}{last}"


def _by_signal(tail: list[str]) -> str:
    """What a signal was, by what Python said of it; SIGKILL leaves no time to say anything."""
    if not tail:
        return (
            "it ended without a word (by SIGKILL, perhaps for its memory, by another signal or an "
            "exit)"
        )
    if not tail[0].startswith(CRASHED):
        return (
            "it was asked from outside to stop (SIGTERM), perhaps at a limit of its time or memory"
        )
    place = next((f", in {line.strip()}" for line in tail if line.startswith("  File ")), "")
    name = tail[0].removeprefix(CRASHED)
    # An allocation that failed aborts, and shared memory that is full is a bus error.
    cause = ", not for its memory or its time" if name.startswith(_FAULTS) else ""
    return (
        f"it crashed ({name}{place}){cause}; "
        "run the same command again, and report it with this log if it crashes again"
    )
