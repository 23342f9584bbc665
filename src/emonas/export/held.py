"""A file held against what it should be, value by value."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

from emonas.export.side_by_side import pairs
from emonas.export.strict_json import read_strictly

TOLERANCE = 1e-9
"""By which a number may differ on another machine: sums of some thousand fractions."""
_SEPARATORS = re.compile(r"([,|&<>])")
"""Of cells and of a page's marks; a group, so that they are held as well."""
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?(e[+-]?\d+)?", re.ASCII)
"""As tables write it. Python would take 7_8.3 as well, and the digits of every script."""
_PICTURE = re.compile(r'(<img src=")[^"]*(")')


@dataclass(frozen=True)
class Verified:
    """How many numbers agree, what does not (the file, the place in it, both values), and what
    could not be held against anything here.
    """

    numbers: int
    wrong: list[str]
    unheld: tuple[str, ...] = ()

    def joined(self, other: Verified) -> Verified:
        """Both, one behind the other; what both found wrong is told once."""
        wrong = list(dict.fromkeys([*self.wrong, *other.wrong]))
        return Verified(self.numbers + other.numbers, wrong, (*self.unheld, *other.unheld))


def held_json(told: Path, again: Path, name: str) -> Verified:
    """Two JSON files, value by value."""
    found = Verified(0, [])
    if not told.is_file():
        return Verified(0, [f"{name}: is not in the bundle"])
    try:
        said = read_strictly(told)
    except ValueError as error:
        return Verified(0, [f"{name}: {error}"])
    for place, value, wanted in pairs(said, read_strictly(again)):
        text = isinstance(value, str) or isinstance(wanted, str)
        found = _held(found, f"{name}: {place}", value, wanted, exactly=text)
    return found


def _held(
    found: Verified, place: str, said: Any, wanted: Any, *, exactly: bool = False
) -> Verified:
    """One value held against what it should be; all but numbers must be the same, and these too
    where they are to agree `exactly`.
    """
    both = [_number(value) for value in (said, wanted)]
    agrees = type(said) is type(wanted) and said == wanted
    if both[0] is not None and both[1] is not None and not exactly:
        agrees = abs(both[0] - both[1]) <= TOLERANCE * max(1.0, abs(both[1]))
    if not agrees:
        return Verified(found.numbers, [*found.wrong, f"{place} is {said!r}, and {wanted!r} again"])
    return Verified(found.numbers + (both[1] is not None), found.wrong)


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    # A speaker may be called nan.
    if isinstance(value, str) and not _NUMBER.fullmatch(value.strip()):
        return None
    try:
        number = float(value)
    except (OverflowError, ValueError):
        return None
    return number if math.isfinite(number) else None


def held_text(told: Path, again: Path, name: str) -> Verified:
    """Two texts, line by line and cell by cell; of a page without the pictures in it. All but a CSV
    hold numbers that are rounded already.
    """
    if not told.is_file():
        return Verified(0, [f"{name}: is not in the bundle"])
    found = Verified(0, [])
    try:
        texts = [_PICTURE.sub(r"\1\2", path.read_bytes().decode()) for path in (told, again)]
    except UnicodeDecodeError as error:
        return Verified(0, [f"{name}: is no text in UTF-8 ({error})"])
    # Python would end lines at signs at which no reader of a table does.
    for number, (said, wanted) in enumerate(zip_longest(*(text.split("\n") for text in texts)), 1):
        if said is None or wanted is None:
            return Verified(found.numbers, [*found.wrong, f"{name}: line {number} is one too many"])
        cells = [_SEPARATORS.split(line) for line in (said, wanted)]
        for one, other in zip_longest(*cells):
            place = f"{name}: line {number}"
            found = _held(found, place, one, other, exactly=told.suffix != ".csv")
    return found
