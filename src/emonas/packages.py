"""Packages that some kinds need and others do not."""

import importlib.util
from pathlib import Path

ORIGINALS = ("fairseq", "wenet")
"""Backends that run in environments of their own, because they don't install beside the rest."""


def missing_package(package: str, extra: str) -> str:
    """Say how to install a package that is not there; empty where it is, or none is needed."""
    if not package or importlib.util.find_spec(package) is not None:
        return ""
    return f"the package {package} is not installed; pip install 'emonas[{extra}]'"


def package_folder(package: str) -> Path | None:
    """Give the folder of a package, without importing it; None where it is not installed."""
    found = importlib.util.find_spec(package)
    places = found.submodule_search_locations if found else None
    return Path(next(iter(places))) if places else None
