"""One run at a time in a folder.

Snakemake's own lock lists the files of the jobs that are known when a run begins, without those
behind a checkpoint, and whoever meets it is told of --unlock. This one is held by the process that
runs, and goes with it, however it ends.
"""

import os
import re
import socket
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from filelock import FileLock, Timeout

from emonas.errors import EmonasError
from emonas.storage.atomic import write_text

LOOKS_ONLY = frozenset(
    {
        *("--dry-run", "--dryrun", "--lint", "--list-rules", "--list-target-rules", "--report"),
        *("--dag", "--rulegraph", "--filegraph", "--d3dag", "--summary", "--detailed-summary"),
        *("--list-changes", "--list-untracked", "--print-compilation"),
    }
)
"""Arguments of Snakemake with which it changes nothing."""


def hold(folder: Path, arguments: Sequence[str]) -> FileLock | None:
    """Hold a folder until this process ends; None where nothing will be changed in it, or where
    the file system knows no locks.

    Args:
        folder: the working folder.
        arguments: those that Snakemake was called with.

    Raises:
        EmonasError: another process holds it.
    """
    if "--nolock" in arguments or only_looks(arguments):
        return None
    own = folder / ".snakemake"
    lock, note = FileLock(own / "emonas.lock", timeout=0), own / "emonas.run"
    try:
        own.mkdir(exist_ok=True)
        lock.acquire()
        begun = datetime.now().astimezone().strftime("%Y-%m-%d %H:%M")
        write_text(note, f"process {os.getpid()} on {socket.gethostname()}, since {begun}\n")
    except Timeout as error:
        raise EmonasError(
            f"another run works in this folder ({_holder(note)}); wait for its end, or stop it "
            "there with Ctrl-C; --unlock is for what a killed run left, and not while one works"
        ) from error
    except (OSError, NotImplementedError):
        # Snakemake's own lock is left.
        return None
    return lock


def only_looks(arguments: Sequence[str]) -> bool:
    """Whether Snakemake changes nothing with these arguments; `-n` may stand behind other letters
    without a value, as in `-pn`, and what stands behind the letter of a value is that value, as in
    `-Rtrain`.
    """
    return any(
        re.match(r"-[tkflapFSD]*n", argument) or argument.partition("=")[0] in LOOKS_ONLY
        for argument in arguments
    )


def _holder(note: Path) -> str:
    try:
        return note.read_text(encoding="utf-8").strip()
    except OSError:
        return "it has just begun"
