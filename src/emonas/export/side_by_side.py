"""Two documents side by side."""

from collections.abc import Iterator, Mapping
from itertools import zip_longest
from typing import Any


def pairs(said: Any, wanted: Any, place: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Every value of two documents, with its place."""
    if isinstance(said, Mapping) and isinstance(wanted, Mapping):
        for key in dict.fromkeys((*wanted, *said)):
            yield from pairs(said.get(key), wanted.get(key), f"{place}.{key}" if place else key)
    elif isinstance(said, list) and isinstance(wanted, list):
        for number, (one, other) in enumerate(zip_longest(said, wanted)):
            yield from pairs(one, other, f"{place}[{number}]")
    else:
        yield place, said, wanted
