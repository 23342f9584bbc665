"""Where a killed job goes on: a folder under a lock, gone when the job ends well.

Between the end of a job and Snakemake's note of it Snakemake can be killed, and then begins the job
again. So in a workflow what was kept moves into the folder `ended`, which the workflow makes
(`outlive_jobs`) and empties.
"""

import hashlib
import json
import os
import secrets
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from filelock import FileLock

_LARGE = 2**20
_ENDED = "ended"
_SECONDS = 60.0
"""In which Snakemake notes that a job has ended."""


@contextmanager
def resume_folder(
    root: Path, stage: str, params: Mapping[str, Any], inputs: Sequence[Path]
) -> Iterator[Path]:
    """Give the job's folder under `root`, named by a digest of its options, code and inputs.

    A large input (a feature file) counts by its size and time, as Snakemake has it.

    A second process of the same job waits until the first has ended.
    """
    digest = hashlib.sha256(json.dumps(params, sort_keys=True, default=str).encode())
    for path in inputs:
        digest.update(_identity(path))
    name = digest.hexdigest()[:32]
    folder, ended = root / stage / name, root / _ENDED / f"{stage}-{name}"
    folder.parent.mkdir(parents=True, exist_ok=True)
    drop_ended(root, _SECONDS)
    lock = folder.with_suffix(".lock")
    with FileLock(lock):
        if ended.exists() and not folder.exists():
            ended.rename(folder)
        yield folder
        if folder.exists() and ended.parent.exists():
            os.utime(folder)
            folder.rename(ended)
        shutil.rmtree(folder, ignore_errors=True)
        lock.unlink(missing_ok=True)


def outlive_jobs(root: Path) -> None:
    """Let what jobs keep outlive them, until it is dropped."""
    (root / _ENDED).mkdir(parents=True, exist_ok=True)


def drop_ended(root: Path, seconds: float = 0.0) -> None:
    """Drop what jobs kept that ended well so many seconds ago."""
    for folder in (root / _ENDED).glob("*"):
        # Another job may drop it, too, or its own may take it back.
        with suppress(FileNotFoundError):
            if time.time() - folder.stat().st_mtime >= seconds:
                away = folder.rename(folder.with_name(f".{secrets.token_hex(4)}"))
                shutil.rmtree(away, ignore_errors=True)


def _identity(path: Path) -> bytes:
    if path.is_dir():
        entries = {entry.relative_to(path).as_posix(): entry for entry in path.rglob("*")}
        files = [(name, entry) for name, entry in sorted(entries.items()) if entry.is_file()]
        return b"".join(name.encode() + b"\0" + _identity(entry) for name, entry in files)
    status = path.stat()
    # A pipe would be read for ever.
    if status.st_size > _LARGE or not path.is_file():
        return f"{path} {status.st_size} {status.st_mtime_ns}".encode()
    return hashlib.sha256(path.read_bytes()).digest()
