"""`for:` in the systems of a settings file: one entry becomes many."""

from collections.abc import Iterator, Mapping
from itertools import product
from math import prod
from typing import Any

from emonas.errors import EmonasError

MOST = 1000
"""Systems that one entry makes."""


def expand_systems(systems: Mapping[str, Any]) -> dict[str, Any]:
    """Write out every entry that has a `for`.

    `for` is a list of values by name, or a mapping of names to lists, whose product is taken.
    `{name}` in the entry's key and in any text of it is filled in; a text that is nothing but
    `{name}` takes the value with its type.

    Raises:
        EmonasError: a name is not defined, or two entries get one name.
    """
    expanded: dict[str, Any] = {}
    for key, entry in systems.items():
        for name, value in _entries(key, entry):
            if name in expanded:
                raise EmonasError(
                    f"systems.{key}: two systems are named {name}; use every name of `for` in it"
                )
            expanded[name] = value
    return expanded


def _entries(key: str, entry: Any) -> Iterator[tuple[str, Any]]:
    if not isinstance(entry, Mapping) or "for" not in entry:
        yield key, entry
        return
    rest = {name: value for name, value in entry.items() if name != "for"}
    for values in _combinations(key, entry["for"]):
        yield _filled(key, values, key), _filled(rest, values, key)


def _combinations(key: str, loop: Any) -> list[dict[str, Any]]:
    combinations = _written_out(key, loop)
    if not combinations:
        raise EmonasError(f"systems.{key}.for: is empty; give it a value")
    return combinations


def _written_out(key: str, loop: Any) -> list[dict[str, Any]]:
    if isinstance(loop, Mapping) and all(isinstance(values, list) for values in loop.values()):
        if (count := prod(map(len, loop.values()))) > MOST:
            raise EmonasError(f"systems.{key}.for: makes {count:,} systems; give {MOST:,} at most")
        return [dict(zip(loop, values, strict=True)) for values in product(*loop.values())]
    if isinstance(loop, list) and all(isinstance(values, Mapping) for values in loop):
        return [dict(values) for values in loop]
    raise EmonasError(
        f"systems.{key}.for: give a list of values by name, [{{c: 4, l: 3}}], or lists by name, "
        "{b: [2, 4]}"
    )


def _filled(value: Any, values: Mapping[str, Any], key: str) -> Any:
    if isinstance(value, Mapping):
        return {name: _filled(entry, values, key) for name, entry in value.items()}
    if isinstance(value, list):
        return [_filled(entry, values, key) for entry in value]
    if not isinstance(value, str):
        return value
    for name, filling in values.items():
        if value == f"{{{name}}}":
            return filling
        value = value.replace(f"{{{name}}}", str(filling))
    if "{" in value:
        raise EmonasError(
            f"systems.{key}: {value} names what `for` does not define; it defines "
            f"{', '.join(map(str, values))}"
        )
    return value
