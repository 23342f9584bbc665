"""Figures as the page holds them."""

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from emonas.report import names

_PLAIN = " !$()*+,-./:;=?@_~|{}[]^'"


@dataclass(frozen=True)
class Picture:
    """A figure as a data address, with a text for those who cannot see it, and the CSV of its
    numbers.

    As an image it keeps its names to itself: those of two drawings within a page would clash.
    """

    address: str
    alt: str
    file: str
    numbers: str


@dataclass(frozen=True)
class LinkedPicture:
    """The figure of a fold that the page does not hold but links, and the CSV of its numbers."""

    fold: str
    file: str
    numbers: str


def picture(folder: Path, file: str, alt: str, numbers: str = "") -> Picture:
    """A figure that was drawn into `folder`, and its numbers beside it or where they are said to
    be.
    """
    drawing = (folder / file).read_text(encoding="utf-8")
    # A third shorter than base64, and what may not stand in an address is little in a drawing.
    data = quote(drawing.replace('"', "'"), safe=_PLAIN)
    return Picture(f"data:image/svg+xml,{data}", alt, file, numbers or names.numbers_of(file))


def linked(fold: str, file: str) -> LinkedPicture:
    """A figure of a fold, and its numbers beside it."""
    return LinkedPicture(fold, file, names.numbers_of(file))
