"""What a SLURM on one machine needs, and what of it is not there; it installs nothing.

    python tests/workflow/slurm/slurm_requirements.py   # ends with 1, and says what is missing

Nothing but Python's own library: it runs before there is an environment.
"""

import os
import shutil
import sys
from collections.abc import Iterator

PROGRAMS = {
    "slurmctld": "slurmctld",
    "slurmd": "slurmd",
    "munged": "munge",
    "sbatch": "slurm-client",
    "srun": "slurm-client",
    "squeue": "slurm-client",
    "sinfo": "slurm-client",
    "scancel": "slurm-client",
    "scontrol": "slurm-client",
    "setpriv": "util-linux",
}
"""Programs, and the packages of Debian that hold them."""

NOT_HERE = 3
"""How this ends where no SLURM can be started; with anything else it is itself that is broken."""

SYSTEM_FOLDERS = ("/usr/sbin", "/sbin")
"""Where daemons are, which is not in every user's PATH."""


def find_program(name: str) -> str | None:
    """The path of a program; None where there is none."""
    folders = [os.environ.get("PATH", ""), *SYSTEM_FOLDERS]
    return shutil.which(name, path=os.pathsep.join(folders))


def missing() -> Iterator[str]:
    """A sentence for everything that is not there."""
    if sys.platform != "linux":
        yield "SLURM runs on Linux"
        return
    if os.geteuid() != 0:
        yield "its daemons must be started by root"
    absent = sorted({package for name, package in PROGRAMS.items() if not find_program(name)})
    if absent:
        yield f"Debian's packages are not there: apt-get install {' '.join(absent)}"


if __name__ == "__main__":
    reasons = list(missing())
    if reasons:
        print(f"No SLURM can be started here: {'; '.join(reasons)}.", file=sys.stderr)
        sys.exit(NOT_HERE)
