"""Words that messages and the report share."""

from collections.abc import Iterable


def count(number: int, noun: str) -> str:
    """`1 seed`, `2 seeds`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def spelled_apart(names: Iterable[str]) -> list[list[str]]:
    """Names that differ in upper and lower case alone, those of one person perhaps together."""
    alike: dict[str, list[str]] = {}
    for name in sorted(set(names)):
        alike.setdefault(name.casefold(), []).append(name)
    return [spelled for spelled in alike.values() if len(spelled) > 1]
