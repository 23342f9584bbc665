"""What is wrong with a settings file, as one plain sentence with the key's path."""

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

_CHOOSERS = {"corpora": "reader", "features": "extractor", "systems": "network"}
_SENTENCES = {
    "extra_forbidden": "is no known key",
    "missing": "is missing",
    "string_pattern_mismatch": "a name is made of letters, digits, dots, hyphens and underscores",
    "string_too_long": "a name has {max_length} letters at most",
    "greater_than": "must be more than {gt:g}, not {value}",
    "greater_than_equal": "must be at least {ge:g}, not {value}",
    "less_than": "must be less than {lt:g}, not {value}",
    "less_than_equal": "must be at most {le:g}, not {value}",
    "too_short": "needs {min_length} or more entries, not {actual_length}",
    "too_long": "takes {max_length} entries at most, not {actual_length}",
}
_LONGEST = 100
"""Letters of a value that a sentence repeats."""
_KINDS = {
    "int": "a whole number",
    "float": "a number",
    "finite": "a number",
    "bool": "true or false",
    "string": "text",
    "path": "a path",
    "tuple": "a list",
    "list": "a list",
    "dict": "keys with values",
    "model": "keys with values",
    "mapping": "keys with values",
}


def nearest(name: str, names: Iterable[str]) -> str:
    """A hint at the nearest of `names`, empty where none is near."""
    matches = get_close_matches(name, list(names), n=1)
    return f"; did you mean {matches[0]}?" if matches else ""


def sentence(error: ValidationError, document: Mapping[str, Any], known: frozenset[str]) -> str:
    """The first error, with the path of its key as the user wrote it.

    A key misspelt is two errors, one unknown and one missing: the unknown one says more.
    """
    details = min(error.errors(), key=lambda details: details["type"] != "extra_forbidden")
    path = _path(details, document)
    if details["type"] in ("union_tag_invalid", "union_tag_not_found"):
        return _unknown_kind(path, details)
    here = [entry for entry in error.errors() if _path(entry, document) == path]
    text = _text(details, here)
    if details["type"] == "extra_forbidden":
        key = str(details["loc"][-1])
        text = "is no key here" if key in known else text + nearest(key, known)
    return f"{path}: {text}"


def _text(details: ErrorDetails, here: Sequence[ErrorDetails]) -> str:
    """What is wrong, in our words where pydantic's would be a programmer's.

    A value that may be of several kinds has an error of each, which are all `here`.
    """
    # Of a kind that the value is, more can be said.
    details = min(here, key=lambda entry: entry["type"] not in _SENTENCES)
    value, context = _shown(details["input"]), details.get("ctx", {})
    if text := _SENTENCES.get(details["type"]):
        return text.format(value=value, **context)
    if _needed(details):
        needed = filter(None, map(_needed, here))
        return f"must be {' or '.join(dict.fromkeys(needed))}, not {value}"
    return details["msg"].removeprefix("Value error, ")


def _needed(details: ErrorDetails) -> str:
    """What a value would have to be; empty where the error is of another kind."""
    if details["type"] == "literal_error":
        return str(details["ctx"]["expected"])
    return _KINDS.get(details["type"].split("_")[0], "")


def _shown(value: object) -> str:
    """A value as Python writes it, cut where it is long."""
    try:
        text = repr(value)
    # Python writes no number of thousands of digits, and nothing that is nested too deeply.
    except (ValueError, RecursionError):
        return "a value that is too large to be repeated"
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def _path(details: ErrorDetails, document: Mapping[str, Any]) -> str:
    """The location without the names that pydantic puts between for the kinds of a union."""
    here: Any = document
    parts = []
    for place, part in enumerate(details["loc"]):
        # The kind behind a figure's name is also a key of one kind.
        if place == 2 and details["loc"][0] == "figures":
            continue
        inside = isinstance(here, Mapping) and part in here
        inside = inside or (
            isinstance(here, list | tuple) and isinstance(part, int) and part < len(here)
        )
        if inside:
            parts.append(str(part))
            here = here[part]
    if details["type"] == "missing":
        parts.append(str(details["loc"][-1]))
    return ".".join(parts) or "settings"


def _unknown_kind(path: str, details: ErrorDetails) -> str:
    context = details.get("ctx", {})
    key = (
        "method"
        if path.endswith("search")
        else _CHOOSERS.get(path.split(".", maxsplit=1)[0], "kind")
    )
    tag = context.get("tag")
    if tag is None:
        return f"{path}.{key}: is missing; it says which kind this is"
    expected = [name.strip().strip("'") for name in str(context["expected_tags"]).split(",")]
    return (
        f"{path}.{key}: nothing is named {tag}{nearest(str(tag), expected)} "
        f"(there are {', '.join(expected)})"
    )
