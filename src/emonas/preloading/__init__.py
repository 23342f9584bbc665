"""Jobs that begin with their libraries loaded.

A small job takes longer to import torch than to train. So a run on this machine keeps one process
(`server.py`) that has imported the libraries, and of which every job is a fork; Snakemake starts
`launch.py` in place of Python, which asks for the fork and waits for its end. A job runs the same
script, in the same folder and environment, as it does in a Python of its own, which is what it gets
where there is no such process.
"""

import os
import shlex
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

THREADS = tuple(f"{name}_NUM_THREADS" for name in ("OMP", "OPENBLAS", "MKL", "GOTO", "NUMEXPR"))
"""What libraries read once, when they are imported: Snakemake sets them to a rule's threads."""

PATIENCE = 3
"""Jobs that begin before the libraries are loaded: to rerun a few they are not worth it."""

LONGEST_ADDRESS = 100
"""Bytes of a socket's path; the system takes 107."""


@dataclass(frozen=True)
class Server:
    """A process that forks jobs; it ends when `process.stdin` is closed, with this process at the
    latest.
    """

    process: subprocess.Popen[bytes]
    python: str
    """The command to run a script with, as the shell reads it."""


def start_server(
    python: str, libraries: Iterable[str] = (), patience: int = PATIENCE
) -> Server | None:
    """Start the process that forks jobs, `python` being the interpreter; None where it can't be.
    `libraries` are loaded besides what most jobs need, behind the first jobs; with no `patience`
    the first job waits for them.

    Other systems than Linux can't tell a process that another one is gone, and some of their
    libraries don't survive a fork.
    """
    if sys.platform != "linux":
        return None
    try:
        address = Path(tempfile.mkdtemp(prefix="emonas-")) / "jobs"
    except OSError:
        return None
    if len(os.fsencode(address)) > LONGEST_ADDRESS:
        address.parent.rmdir()
        return None
    folder = Path(__file__).parent
    with socket.socket(socket.AF_UNIX) as listener:
        # Here, so that who asks before the process has begun waits for it.
        listener.bind(str(address))
        listener.listen(64)
        process = subprocess.Popen(  # noqa: S603
            [
                *(python, str(folder / "server.py"), str(address)),
                *(str(listener.fileno()), str(patience), *libraries),
            ],
            stdin=subprocess.PIPE,
            env={**os.environ, **dict.fromkeys(THREADS, "1")},
            pass_fds=[listener.fileno()],
        )
    launch = [python, "-I", "-S", str(folder / "launch.py"), str(address)]
    return Server(process, shlex.join(launch))
