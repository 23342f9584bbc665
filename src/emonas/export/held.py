"""A file held against what it should be, value by value."""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

from emonas.export.side_by_side import pairs

TOLERANCE = 1e-9
"""By which a number may differ on another machine: sums of some thousand fractions."""
_SEPARATORS = re.compile(r"([,|&<>])")
"""Of cells and of a page's marks; a group, so that they are held as well."""
_PICTURE = re.compile(r'(<img src=")[^"]*(")')


@dataclass(frozen=True)
class Verified:
    """How many numbers agree, what does not (the file, the place in it, both values), and what
    could not be held against anything here.
    """

    numbers: int
    wrong: list[str]
    unheld: tuple[str, ...] = ()


def held_json(told: Path, again: Path, name: str) -> Verified:
    """Two JSON files, value by value."""
    found = Verified(0, [])
    if not told.is_file():
        return Verified(0, [f"{name}: is not in the bundle"])
    try:
        said = json.loads(told.read_text(encoding="utf-8"))
    except ValueError:
        return Verified(0, [f"{name}: is no JSON"])
    for place, value, wanted in pairs(said, json.loads(again.read_text(encoding="utf-8"))):
        found = _held(found, f"{name}: {place}", value, wanted)
    return found


def _held(found: Verified, place: str, said: Any, wanted: Any) -> Verified:
    """One value held against what it should be; all but numbers must be the same."""
    both = [_number(value) for value in (said, wanted)]
    agrees = said == wanted
    if both[0] is not None and both[1] is not None:
        agrees = abs(both[0] - both[1]) <= TOLERANCE * max(1.0, abs(both[1]))
    if not agrees:
        return Verified(found.numbers, [*found.wrong, f"{place} is {said!r}, and {wanted!r} again"])
    return Verified(found.numbers + (both[1] is not None), found.wrong)


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        number = float(value)
    except (OverflowError, ValueError):
        return None
    # A speaker may be called nan.
    return number if math.isfinite(number) else None


def held_text(told: Path, again: Path, name: str) -> Verified:
    """Two texts, line by line and cell by cell; of a page without the pictures in it."""
    if not told.is_file():
        return Verified(0, [f"{name}: is not in the bundle"])
    found = Verified(0, [])
    texts = [_PICTURE.sub(r"\1\2", path.read_text(encoding="utf-8")) for path in (told, again)]
    for number, (said, wanted) in enumerate(zip_longest(*(text.splitlines() for text in texts)), 1):
        if said is None or wanted is None:
            return Verified(found.numbers, [*found.wrong, f"{name}: line {number} is one too many"])
        cells = [_SEPARATORS.split(line) for line in (said, wanted)]
        for one, other in zip_longest(*cells):
            found = _held(found, f"{name}: line {number}", one, other)
    return found
