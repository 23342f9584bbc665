"""Where a killed job goes on: a folder under a lock, gone when the job ends well."""

import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock

_LARGE = 2**20


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
    folder = root / stage / digest.hexdigest()[:32]
    folder.parent.mkdir(parents=True, exist_ok=True)
    lock = folder.with_suffix(".lock")
    with FileLock(lock):
        yield folder
        shutil.rmtree(folder, ignore_errors=True)
        lock.unlink(missing_ok=True)


def _identity(path: Path) -> bytes:
    if path.is_dir():
        entries = {entry.relative_to(path).as_posix(): entry for entry in path.rglob("*")}
        files = [(name, entry) for name, entry in sorted(entries.items()) if entry.is_file()]
        return b"".join(name.encode() + b"\0" + _identity(entry) for name, entry in files)
    status = path.stat()
    if status.st_size > _LARGE:
        return f"{path} {status.st_size} {status.st_mtime_ns}".encode()
    return hashlib.sha256(path.read_bytes()).digest()
