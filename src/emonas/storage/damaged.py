"""Results that a job found damaged: the job notes them, and the run renames them.

A job must not do it itself: tried again, it would miss its input, and that ends Snakemake with all
other jobs.
"""

import hashlib
from contextlib import suppress
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from emonas.storage.atomic import write_text

_RESULTS = Path("results")
_NOTES = _RESULTS / "resume" / "damaged"


class _Note(BaseModel):
    """A file as it was found; one of another size or time has been made again."""

    model_config = ConfigDict(extra="forbid")

    path: Path
    size: int
    time: int


def damaged_name(path: Path) -> Path:
    """What a damaged file is renamed to."""
    return path.with_name(f"{path.name}.damaged")


def note_damaged(path: Path) -> bool:
    """Note a damaged file for `rename_damaged`; whether it is a result, below the working folder.

    Raises:
        EmonasError: there is no room for the note.
        OSError: it can't be written.
    """
    if not path.is_file() or not path.absolute().is_relative_to(_RESULTS.absolute()):
        return False
    name = hashlib.sha256(str(path).encode()).hexdigest()[:32]
    write_text(_NOTES / f"{name}.json", _noted(path).model_dump_json())
    return True


def rename_damaged() -> list[Path]:
    """Rename what jobs have noted and nobody has made again, so that the workflow misses it.

    A file that can't be renamed stays noted.

    Returns:
        The names that those files had.
    """
    renamed = []
    # Hidden ones are being written.
    for file in sorted(_NOTES.glob("[!.]*")):
        with suppress(OSError):
            path = _still_damaged(file)
            if path is not None:
                path.replace(damaged_name(path))
                renamed.append(path)
            file.unlink()
    return renamed


def forget_damaged() -> None:
    """Drop the notes: every job has read its inputs after all."""
    for file in _NOTES.glob("[!.]*"):
        with suppress(OSError):
            file.unlink()


def _noted(path: Path) -> _Note:
    status = path.stat()
    return _Note(path=path, size=status.st_size, time=status.st_mtime_ns)


def _still_damaged(file: Path) -> Path | None:
    """The file of a note; None if it was made again or has gone, or if this is no note."""
    try:
        note = _Note.model_validate_json(file.read_bytes())
        return note.path if _noted(note.path) == note else None
    except (FileNotFoundError, ValueError):
        return None
