"""Digests of files, and that beside a table that people read: `train.csv.sha256`."""

import hashlib
from pathlib import Path

from emonas.errors import DamagedFileError
from emonas.storage.atomic import write_text


def digest_file(path: Path) -> Path:
    """Where the digest of a file stands, as `sha256sum --check` reads it."""
    return path.with_name(f"{path.name}.sha256")


def forget_digest(path: Path) -> None:
    """Take the digest away before the file changes, so that a kill leaves no wrong one."""
    digest_file(path).unlink(missing_ok=True)


def write_digest(path: Path) -> None:
    """Write the digest of a file that is whole."""
    write_text(digest_file(path), _digest_line(path))


def check_digest(path: Path) -> None:
    """Hold a file against its digest; one that a person wrote needs none.

    Raises:
        DamagedFileError: the file is not what was written, or its digest is not.
    """
    known = digest_file(path)
    if path.is_file() and known.is_file() and known.read_bytes() != _digest_line(path).encode():
        raise DamagedFileError(
            path, f"its bytes are not those that were written; take {known.name} away if you did it"
        )


def digest_of_file(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _digest_line(path: Path) -> str:
    return f"{digest_of_file(path)}  {path.name}\n"
