"""What is wrong with a settings file, as one plain sentence with the key's path."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

_CHOOSERS = {"corpora": "reader", "features": "extractor", "systems": "network"}
_SENTENCES = {
    "extra_forbidden": "is no known key",
    "missing": "is missing",
}


def nearest(name: str, names: Iterable[str]) -> str:
    """A hint at the nearest of `names`, empty where none is near."""
    matches = get_close_matches(name, list(names), n=1)
    return f"; did you mean {matches[0]}?" if matches else ""


def sentence(error: ValidationError, document: Mapping[str, Any], known: Iterable[str]) -> str:
    """The first error, with the path of its key as the user wrote it."""
    details = error.errors()[0]
    path = _path(details, document)
    if details["type"] in ("union_tag_invalid", "union_tag_not_found"):
        return _unknown_kind(path, details)
    text = _SENTENCES.get(details["type"], details["msg"].removeprefix("Value error, "))
    hint = ""
    if details["type"] == "extra_forbidden":
        hint = nearest(str(details["loc"][-1]), known)
    elif details["type"] not in ("missing", "value_error"):
        text += f", not {details['input']!r}"
    return f"{path}: {text}{hint}"


def _path(details: ErrorDetails, document: Mapping[str, Any]) -> str:
    """The location without the names that pydantic puts between for the kinds of a union."""
    here: Any = document
    parts = []
    last = len(details["loc"]) - 1
    for index, part in enumerate(details["loc"]):
        inside = isinstance(here, Mapping) and part in here
        inside = inside or (isinstance(here, list | tuple) and isinstance(part, int))
        if inside:
            parts.append(str(part))
            here = here[part]
        elif index == last:
            parts.append(str(part))
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
