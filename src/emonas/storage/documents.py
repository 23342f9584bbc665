"""JSON files that hold one dataclass or model each."""

from pathlib import Path
from typing import TypeVar

from pydantic import TypeAdapter

from emonas.errors import DamagedFileError
from emonas.storage.problems import first_problem

_Document = TypeVar("_Document")


def read_document(path: Path, kind: type[_Document], lack: str) -> _Document:
    """Read a dataclass or model from JSON, every value of its own type.

    Args:
        path: the file.
        kind: what it holds.
        lack: what it is where it holds that not, such as `no cost`.

    Raises:
        DamagedFileError: the file is missing or does not hold it.
    """
    try:
        return TypeAdapter(kind).validate_json(path.read_bytes(), strict=True)
    except (OSError, ValueError) as error:
        raise DamagedFileError(path, f"{lack} ({first_problem(error)})") from error
