"""Two documents side by side."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import zip_longest
from typing import Any


class _Missing:
    """What one document has at a place of the other that it has not: null is a value."""

    def __repr__(self) -> str:
        return "missing"


MISSING = _Missing()


def pairs(said: Any, wanted: Any, place: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Every value of two documents, with its place; `MISSING` where one has none there."""
    if isinstance(said, Mapping) and isinstance(wanted, Mapping):
        for key in dict.fromkeys((*wanted, *said)):
            one, other = said.get(key, MISSING), wanted.get(key, MISSING)
            yield from pairs(one, other, f"{place}.{key}" if place else key)
    elif isinstance(said, list) and isinstance(wanted, list):
        for number, (one, other) in enumerate(zip_longest(said, wanted, fillvalue=MISSING)):
            yield from pairs(one, other, f"{place}[{number}]")
    else:
        yield place, said, wanted
