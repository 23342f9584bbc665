"""Kinds that the settings name: a module a kind, found by its name."""

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache
from types import ModuleType
from typing import Any, Literal

from emonas.options import Options

Family = Literal["reader", "extractor", "recogniser", "method", "network"]
_PACKAGES: dict[Family, str] = {
    "reader": "emonas.corpora.readers",
    "extractor": "emonas.features.extractors",
    "recogniser": "emonas.features.recognisers",
    "method": "emonas.search.methods",
    "network": "emonas.systems.kinds",
}


def kind_name(family: Family, kind: str) -> str:
    """The name of the module of a kind."""
    return f"{_PACKAGES[family]}.{kind.replace('-', '_')}"


def kind_module(family: Family, kind: str) -> ModuleType:
    """The module of a kind, such as the reader `emodb`."""
    return importlib.import_module(kind_name(family, kind))


def kind_options(family: Family, values: Mapping[str, Any]) -> Any:
    """Options from plain values, checked by the kind that they name under the family's key."""
    options: Options = kind_module(family, values[family]).Options.model_validate(values)
    return options


@cache
def all_kinds(family: Family) -> dict[str, ModuleType]:
    """The modules of a family that hold `Options`, by the name that the settings use.

    A new kind is a new module, and nothing else.
    """
    package = importlib.import_module(_PACKAGES[family])
    names = [entry.name.replace("_", "-") for entry in pkgutil.iter_modules(package.__path__)]
    modules = {name: kind_module(family, name) for name in names}
    return {name: module for name, module in modules.items() if hasattr(module, "Options")}
