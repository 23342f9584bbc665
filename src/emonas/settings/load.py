"""From a settings file, or what Snakemake read of it, to checked settings."""

import os
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from emonas.errors import EmonasError
from emonas.kinds import all_kinds
from emonas.settings.expansion import expand_systems
from emonas.settings.messages import nearest, sentence
from emonas.settings.model import SettingsBase, settings_model
from emonas.settings.references import check_references
from emonas.settings.yaml_file import read_yaml

DATA = "EMONAS_DATA"
_UNWRITABLE = re.compile("[\0\ud800-\udfff]")
_MOST_BITS = 4096
"""Of a whole number: Python refuses to write those of some thousands of digits."""


def load_settings(path: Path) -> SettingsBase:
    """Read a settings file.

    Raises:
        EmonasError: it is missing, no YAML, has a key twice, or something in it is wrong.
    """
    return check_settings(read_yaml(path))


def check_settings(document: Any) -> SettingsBase:
    """Check settings, with systems written out and roots filled in.

    Raises:
        EmonasError: one sentence with the path of the first key that is wrong.
    """
    if not isinstance(document, Mapping):
        raise EmonasError("settings: a mapping is needed, with corpora, protocols, features, ...")
    _refuse_unwritable(document)
    document = dict(document)
    if isinstance(document.get("systems"), Mapping):
        document["systems"] = expand_systems(document["systems"])
    if isinstance(document.get("corpora"), Mapping):
        document["corpora"] = _with_roots(document["corpora"], document.get("roots"))
    model = settings_model()
    try:
        settings = model.model_validate(document)
    except ValidationError as error:
        raise EmonasError(sentence(error, document, known_keys(model))) from error
    check_references(settings)
    return settings


def _refuse_unwritable(value: Any, path: str = "") -> None:
    """Refuse text that no path or no file in UTF-8 can hold, which has halves of signs or zero
    bytes, and numbers that can't be written.
    """
    _refuse_endless(value, path)
    if isinstance(value, Mapping):
        for key, entry in value.items():
            _refuse_endless(key, path or "settings")
            place = f"{path}.{key}" if path else str(key)
            _refuse_unwritable(str(key), place)
            _refuse_unwritable(entry, place)
    elif isinstance(value, list | tuple):
        for number, entry in enumerate(value):
            _refuse_unwritable(entry, f"{path}.{number}")
    elif isinstance(value, str) and _UNWRITABLE.search(value):
        raise EmonasError(f"{path}: it holds a sign that no file can; write it without")


def _refuse_endless(value: Any, path: str) -> None:
    if isinstance(value, int) and value.bit_length() > _MOST_BITS:
        raise EmonasError(
            f"{path}: is a number of {value.bit_length():,} bits; write a smaller one"
        )


@cache
def known_keys(model: type[SettingsBase]) -> frozenset[str]:
    """Every key that a settings file may hold anywhere."""
    return frozenset(_property_names(model.model_json_schema()))


def _property_names(schema: Any) -> Iterator[str]:
    if isinstance(schema, Mapping):
        yield from schema.get("properties", {})
        for value in schema.values():
            yield from _property_names(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from _property_names(value)


def _with_roots(corpora: Mapping[str, Any], given: Any) -> dict[str, Any]:
    """The corpora, each with its root: from `roots`, the file, or, where its reader needs one,
    EMONAS_DATA/<corpus>.
    """
    roots = given if isinstance(given, Mapping) else {}
    for name in roots:
        if name not in corpora:
            raise EmonasError(
                f"roots.{name}: no corpus is named {name}{nearest(str(name), map(str, corpora))}"
            )
    data = os.environ.get(DATA)
    filled = {}
    for name, entry in corpora.items():
        filled[name] = entry
        if isinstance(entry, Mapping):
            root = roots.get(name, entry.get("root"))
            if root is None and data and _needs_root(entry) and (Path(data) / str(name)).is_dir():
                root = Path(data) / str(name)
            if root is not None:
                filled[name] = {**entry, "root": _checked_root(str(name), str(root))}
    return filled


def _needs_root(corpus: Mapping[str, Any]) -> bool:
    module = all_kinds("reader").get(str(corpus.get("reader")))
    return module is not None and bool(module.Options.needs_root)


def _checked_root(corpus: str, root: str) -> str:
    try:
        folder = Path(root).expanduser()
        there = folder.is_dir()
    # A name that is too long, or the home of nobody.
    except (OSError, RuntimeError):
        there = False
    if not there:
        raise EmonasError(
            f"corpora.{corpus}.root: there is no folder {root}; correct it, or leave it out to "
            "skip the runs that need it"
        )
    return str(folder)
