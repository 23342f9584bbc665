"""SLURM jobs that live on where the Snakemake that submitted them was killed."""

import subprocess
from pathlib import Path

_PATIENCE = 60.0
_ALIVE = "--states=pending,running,suspended,completing"


def earlier_runs(folder: Path) -> list[str]:
    """The names of runs whose jobs are still in SLURM, queued or running, from a working folder.

    Snakemake's own lock does not see them; a second copy of a job would write the same files.
    """
    # The name is the run's, the comment begins with what of Snakemake it is, and %Z is its folder.
    command = ["squeue", "--me", "--noheader", _ALIVE, "--format=%j|%k|%Z"]
    try:
        done = subprocess.run(  # noqa: S603
            command, capture_output=True, text=True, timeout=_PATIENCE, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return []
    rows = [line.split("|", 2) for line in done.stdout.splitlines() if line.count("|") >= 2]
    return sorted(
        {
            name
            for name, comment, place in rows
            if comment.startswith("rule_") and Path(place) == folder
        }
    )
