"""Pictures of a report held against those that are drawn again from its numbers."""

import re
from html import unescape
from pathlib import Path
from urllib.parse import unquote

import numpy as np

_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e-?\d+)?", re.ASCII)
_NAME = re.compile(r"\b[a-z]+[0-9a-f]{10}\b")
"""Of a shape that a drawing uses again: a digest of its numbers, to the last bit."""
_POINTS, _SHARE = 0.02, 1e-4
"""By which numbers of a drawing may differ on another machine: 1/72 inch, and below 1."""
_LEVELS = 8 / 255
"""By which a point of a PNG may."""
_SIGNATURE, _AROUND = 8, 12
"""Bytes at the head of a PNG, and around the content of each of its chunks."""
_POINTS_CHUNK = b"IDAT"
_SHOWN = re.compile(r'<img src="([^"]*)"[^>]*>\s*<figcaption>.*?<a href="([^"]*)">SVG</a>', re.S)
_ADDRESS = "data:image/svg+xml,"
_PICTURES = (".svg", ".png")


def drawn_by() -> dict[str, str]:
    """The versions that decide how a picture comes out."""
    import matplotlib as mpl
    import PIL
    from matplotlib import ft2font

    return {
        "matplotlib": mpl.__version__,
        "freetype": ft2font.__freetype_version__,
        "pillow": PIL.__version__,
    }


def pictures_of(report: Path) -> list[str]:
    """The pictures of a report, relative to its folder."""
    found = (path for path in report.rglob("*") if path.suffix in _PICTURES)
    return sorted(path.relative_to(report).as_posix() for path in found)


def alike(told: Path, again: Path) -> bool:
    """Whether two pictures show the same, drawn by the same versions."""
    if told.read_bytes() == again.read_bytes():
        return True
    return (_same_points if told.suffix == ".png" else _same_drawing)(told, again)


def _same_drawing(told: Path, again: Path) -> bool:
    texts = [_named(_drawing(path)) for path in (told, again)]
    if _NUMBER.split(texts[0]) != _NUMBER.split(texts[1]):
        return False
    pairs = zip(*(_NUMBER.findall(text) for text in texts), strict=True)
    return all(one == other or _close(float(one), float(other)) for one, other in pairs)


def _drawing(path: Path) -> str:
    """The text of a drawing; what is not UTF-8 in it is like no text that is."""
    return path.read_text(encoding="utf-8", errors="surrogateescape")


def _named(drawing: str) -> str:
    """A drawing whose shapes are called by their order."""
    order: dict[str, str] = {}
    return _NAME.sub(lambda found: order.setdefault(found[0], f"shape-{len(order)}"), drawing)


def _close(one: float, other: float) -> bool:
    return abs(one - other) <= (_POINTS if abs(other) >= 1 else _SHARE)


def _same_points(told: Path, again: Path) -> bool:
    from matplotlib.image import imread

    # Its size among them: a header may stand for more points than fit into memory.
    if _beside_points(told.read_bytes()) != _beside_points(again.read_bytes()):
        return False
    try:
        points = [np.asarray(imread(path), np.float64) for path in (told, again)]
    # What is no PNG.
    except (OSError, SyntaxError, ValueError):
        return False
    return bool(np.abs(points[0] - points[1]).max() <= _LEVELS)


def _beside_points(picture: bytes) -> list[bytes]:
    """All of a PNG but its points: size, texts, other frames, and what stands behind its end."""
    found, place = [picture[:_SIGNATURE]], _SIGNATURE
    while place < len(picture):
        end = place + _AROUND + int.from_bytes(picture[place : place + 4])
        points = picture[place + 4 : place + 8] == _POINTS_CHUNK
        if not points:
            found.append(picture[place:end])
        elif found[-1] != _POINTS_CHUNK:
            found.append(_POINTS_CHUNK)
        place = end
    return found


def shown_otherwise(report: Path) -> list[str]:
    """The drawings of a report that its page does not show as their files have them."""
    page = _drawing(report / "index.html")
    drawings = set(pictures_of(report))
    wrong = []
    for source, link in _SHOWN.findall(page):
        name = unquote(unescape(link))
        if name not in drawings or unquote(unescape(source)) != _in_page(report / name):
            wrong.append(name)
    return wrong


def _in_page(path: Path) -> str:
    return _ADDRESS + _drawing(path).replace('"', "'")
