"""What in a bundle can't be read, as sentences about its places there."""

from __future__ import annotations

import os
from collections.abc import Generator
from pathlib import Path
from typing import TypeVar

from emonas.errors import DamagedFileError, EmonasError
from emonas.export.bundle import RESULTS
from emonas.export.held import Verified
from emonas.storage.problems import first_problem

AGAIN, STRIPPED, WHOLE, MADE = "again", "stripped", "whole", "made"
"""Folders of what is computed from an unpacked bundle."""

_Found = TypeVar("_Found")


def computed(folder: Path, name: str) -> Path:
    """A folder of what is computed from an unpacked bundle: beside it, because a forger could put
    into the bundle what hides there.
    """
    return folder.parent / name


def guarded(
    held: Generator[Verified, None, _Found], folder: Path, what: str
) -> Generator[Verified, None, _Found | None]:
    """What is held, and where that ends early why, so that the rest is held as well; `what` is
    named where the reason names no file.
    """
    try:
        return (yield from held)
    except EmonasError as error:
        yield unreadable(error, folder)
    # What readers take, and what computes with it does not.
    except (ArithmeticError, LookupError, OSError, TypeError, ValueError) as error:
        problem = within_bundle(first_problem(error), folder)
        yield Verified(0, [f"{what}: can't be held ({type(error).__name__}: {problem})"])
    return None


def unreadable(error: EmonasError, folder: Path) -> Verified:
    """A file that can't be read, or is not there, by its place in the bundle."""
    if not isinstance(error, DamagedFileError):
        return Verified(0, [within_bundle(str(error), folder)])
    name = within_bundle(str(error.path), folder)
    problem = error.problem if error.path.exists() else "is not in the bundle"
    return Verified(0, [f"{name}: {within_bundle(problem, folder)}"])


def within_bundle(sentence: str, folder: Path) -> str:
    """A sentence about files of an unpacked bundle, by their places in the bundle."""
    for copied in (STRIPPED, WHOLE, AGAIN):
        sentence = sentence.replace(f"{computed(folder, copied)}{os.sep}", f"{RESULTS}/")
    return sentence.replace(f"{folder}{os.sep}", "")
