"""Packages that some features need and others do not."""

import importlib.util


def missing_package(package: str, extra: str) -> str:
    """Say how to install a package that is not there; empty where it is, or none is needed."""
    if not package or importlib.util.find_spec(package) is not None:
        return ""
    return f"the package {package} is not installed; pip install 'emonas[{extra}]'"
