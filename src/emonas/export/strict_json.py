"""JSON of another machine, in which every reader sees the same."""

import json
from pathlib import Path
from typing import Any

from emonas.storage.problems import first_problem


def read_strictly(path: Path) -> Any:
    """The value of a JSON file.

    Raises:
        ValueError: it is no JSON in UTF-8, is nested too deeply, or has a key twice in one place.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=_once)
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"is no JSON ({first_problem(error)})") from error
    except RecursionError as error:
        raise ValueError("is nested too deeply") from error


def _once(entries: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object; of a key that stands there twice readers differ in which value they take."""
    found = dict(entries)
    if len(found) < len(entries):
        names = [name for name, _ in entries]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"has the key {twice} twice")
    return found
