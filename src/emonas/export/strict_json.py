"""JSON of another machine, in which every reader sees the same."""

import json
from pathlib import Path
from typing import Any

from emonas.storage.problems import first_problem


class TwiceError(ValueError):
    """A key stands twice in one place: readers differ in which value they take."""


def read_strictly(path: Path) -> Any:
    """The value of a JSON file.

    Raises:
        TwiceError: it has a key twice in one place.
        ValueError: it is no JSON in UTF-8, or is nested too deeply.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=_once)
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"is no JSON ({first_problem(error)})") from error
    except RecursionError as error:
        raise ValueError("is nested too deeply") from error


def _once(entries: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object, none of whose keys stands there twice."""
    found = dict(entries)
    if len(found) < len(entries):
        names = [name for name, _ in entries]
        twice = next(name for name in names if names.count(name) > 1)
        raise TwiceError(f"has the key {twice} twice")
    return found
