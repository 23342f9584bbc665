"""Files that the settings name and that are not there: a reason to skip, not to stop."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from emonas.checkpoints.reading import files_of
from emonas.errors import EmonasError


def absent_files(key: str, options: Any) -> Iterator[str]:
    """A reason for every path among some options; roots are checked on loading."""
    for name, field in type(options).model_fields.items():
        value = getattr(options, name)
        if isinstance(value, Path) and not _is_there(value):
            yield _reason(f"{key}.{field.alias or name}", value)


def absent_own_files(key: str, options: Any, corpus: str) -> Iterator[str]:
    """A reason for every file of the user's own that a feature of a corpus is read from."""
    for path in options.files(corpus) if hasattr(options, "files") else ():
        if not _is_there(path):
            yield _reason(f"{key}.file" if hasattr(options, "file") else key, path)


def _is_there(path: Path) -> bool:
    """A pipe or a device is no file: whoever opens it may wait for ever."""
    return path.is_file() or path.is_dir()


def _reason(key: str, path: Path) -> str:
    return f"{key}: there is no file {path}; correct it, or put the file there"


def _nameable(path: Path) -> str:
    """The path, or the nearest folder above whose name has no brace: Snakemake can't name others.

    Of such a file it sees that another came or went, and not that it was changed.
    """
    return str(next(place for place in (path, *path.parents) if not set("{}") & set(str(place))))


def files_within(path: Path) -> list[str]:
    """A file itself; of a folder all that it holds, because its own time tells nothing of them."""
    try:
        return sorted({_nameable(file) for file in files_of(path).values()})
    except EmonasError:
        # Not there, or empty: who needs it says so.
        return [str(path)]
