"""Checkouts whose jobs run in SLURM, through the profile."""

import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from slurm_cluster import Cluster, wait_for

PROFILE = ("--profile", "workflow/profiles/slurm")
# Without a database of accounts, and asked often, because the jobs are short.
QUICK = (
    *("--slurm-status-command", "squeue", "--slurm-init-seconds-before-status-checks", "3"),
    *("--seconds-between-status-checks", "3", "--latency-wait", "20"),
)


class Checkout(Protocol):
    """A copy of the checkout, as the tests of the workflow have it."""

    folder: Path

    def environment(self) -> dict[str, str]: ...


@dataclass(frozen=True)
class Submitting:
    """A checkout whose jobs run in SLURM."""

    checkout: Checkout
    cluster: Cluster

    @property
    def folder(self) -> Path:
        return self.checkout.folder

    @property
    def log(self) -> Path:
        """What Snakemake says."""
        return self.folder / "submitting.log"

    def environment(self, **others: str) -> dict[str, str]:
        theirs = ("SLURM_CONF", "PATH")
        ours = {name: self.cluster.environment[name] for name in theirs}
        return {**self.checkout.environment(), **ours, **others}

    def start(self, *arguments: str, **environment: str) -> subprocess.Popen[bytes]:
        """Snakemake with the profile; what it says is in `log`."""
        command = [sys.executable, "-m", "snakemake", *arguments, *PROFILE, *QUICK]
        with self.log.open("ab") as log:
            return subprocess.Popen(
                command,
                cwd=self.folder,
                env=self.environment(**environment),
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def run(self, *arguments: str, fails: bool = False, **environment: str) -> str:
        """Snakemake with the profile to its end, and what it says."""
        ended = self.start(*arguments, **environment).wait()
        said = self.log.read_text()
        assert (ended != 0) == fails, said[-4000:]
        return said

    def submissions(self) -> list[dict[str, str]]:
        """The SLURM jobs of this folder's runs."""
        names = set(re.findall(r"SLURM run ID: (\S+)", self.log.read_text()))
        return [job for job in self.cluster.jobs() if job["name"] in names]

    def wait_for_job(self, comment: str, state: str = "RUNNING") -> dict[str, str]:
        """The first SLURM job of a rule that is in a state."""
        found: list[dict[str, str]] = []

        def there() -> bool:
            found[:] = [
                job
                for job in self.submissions()
                if comment in job["comment"] and job["state"] == state
            ]
            return bool(found)

        wait_for(there, f"{comment} to be {state}", 600)
        return found[0]


def files_of(folder: Path, *patterns: str) -> dict[str, bytes]:
    """The results whose bytes are those of an undisturbed run, by path."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for pattern in patterns
        for path in sorted(folder.glob(pattern))
    }
