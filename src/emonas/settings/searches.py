"""What systems that are found by a search ask of it."""

from collections.abc import Iterable
from typing import Any

from emonas.errors import EmonasError
from emonas.kinds import kind_module
from emonas.settings.messages import nearest

_SHAPES = ("selector", "gate_selector", "size", "encoder", "encoders", "normalise")
"""What else of a system says which features its genotype connects, and how they are heard."""

_SIZES = ("channels", "cells", "nodes")
_DRAWN_EDGES = "two-strongest"
"""How many edges lead into a node of a rival."""


def check_genotype(settings: Any, name: str, system: Any) -> None:
    """Check that a system that is built from a genotype says where it comes from.

    Raises:
        EmonasError: it has no search, or one that finds no such network, or another system's that
            is none.
    """
    if not hasattr(system, "search"):
        return
    cell, search = getattr(system, "cell", None), system.search
    if search is None and cell is None:
        raise EmonasError(f"systems.{name}.search: is missing; say how its cells are found")
    if search is not None and cell is not None:
        raise EmonasError(f"systems.{name}: has both `cell` and `search`; keep one of them")
    if isinstance(search, str):
        _check_other(settings, name, system)
    elif search is not None:
        _check_method(name, system)
        _check_budget(settings, name, system)
        if system.refit and not search.retrain:
            raise EmonasError(
                f"systems.{name}.refit: the searched network is tested as it is (retrain: false), "
                "and not trained anew; leave refit out, or set search.retrain"
            )


def _check_method(name: str, system: Any) -> None:
    """A method that finds one kind of network alone says which."""
    finds = getattr(kind_module("method", system.search.method), "NETWORK", system.network)
    if finds != system.network:
        raise EmonasError(
            f"systems.{name}.search.method: {system.search.method} finds networks of the kind "
            f"{finds}, and the network is {system.network}; choose another method"
        )


def _check_budget(settings: Any, name: str, system: Any) -> None:
    """A search at the budget of another one differs from it by the search alone."""
    other = getattr(system.search, "budget", None)
    if other is None:
        return
    path = f"systems.{name}.search.budget"
    found = _searched(settings, path, name, other, "give search.trials, a number of candidates")
    reads_data = kind_module("method", found.search.method).READS_DATA
    if not reads_data or hasattr(found.search, "budget"):
        raise EmonasError(
            f"{path}: {other} is searched by {found.search.method}, which is no search to be "
            "held against; name another system, or give search.trials"
        )
    for key in type(system).model_fields:
        if key != "search" and getattr(found, key, None) != getattr(system, key):
            raise EmonasError(
                f"{path}: {other} has another {key} than {name}, and the two are to differ by the "
                "search alone; make them alike, or give search.trials"
            )
    if not found.search.retrain or getattr(found.search, "edges", _DRAWN_EDGES) != _DRAWN_EDGES:
        raise EmonasError(
            f"{path}: the search of {other} keeps all edges, or what it finds is not trained anew; "
            f"leave edges and retrain of systems.{other}.search as they are without a word, or "
            "give search.trials"
        )
    for key in ("shared", *(_SIZES if system.network == "cells" else ())):
        if getattr(found.search, key) != getattr(system.search, key):
            raise EmonasError(
                f"systems.{name}.search.{key}: is {getattr(system.search, key)}, and that of "
                f"{other} is {getattr(found.search, key)}; give both the same"
            )


def _searched(settings: Any, path: str, name: str, other: str, remedy: str) -> Any:
    """Another system that has a search of its own."""
    if other not in settings.systems:
        raise EmonasError(f"{path}: no system is named {other}{nearest(other, settings.systems)}")
    found = settings.systems[other]
    search = getattr(found, "search", None)
    if other == name or search is None or isinstance(search, str):
        raise EmonasError(
            f"{path}: {other} has no search of its own; name a system that has one, or {remedy}"
        )
    return found


def _check_other(settings: Any, name: str, system: Any) -> None:
    path, other = f"systems.{name}.search", system.search
    found = _searched(settings, path, name, other, "give a search method")
    for key in ("network", "inputs", *_SHAPES):
        if getattr(found, key, None) != getattr(system, key, None):
            raise EmonasError(
                f"{path}: {other} has another {key} than {name}, which can't be trained with its "
                "genotypes; make them alike"
            )


def check_borrowed(path: str, systems: Iterable[str], name: str, system: Any) -> None:
    """Check that the search whose genotypes, or whose budget, a system takes is in the same run.

    Raises:
        EmonasError: it is not.
    """
    search = getattr(system, "search", None)
    if isinstance(search, str) and search not in systems:
        raise EmonasError(
            f"{path}: {name} is trained with what the search of {search} finds, which is not in "
            "this run; add it"
        )
    budget = getattr(search, "budget", None)
    if budget is not None and budget not in systems:
        raise EmonasError(
            f"{path}: the search of {name} may compute as much as that of {budget}, which is not "
            "in this run; add it"
        )
