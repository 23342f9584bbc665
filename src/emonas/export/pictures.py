"""Pictures of a report held against those that are drawn again from its numbers."""

import re
from html import unescape
from pathlib import Path
from urllib.parse import unquote

import numpy as np

_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e-?\d+)?")
_NAME = re.compile(r"\b[a-z]+[0-9a-f]{10}\b")
"""Of a shape that a drawing uses again: a digest of its numbers, to the last bit."""
_POINTS, _SHARE = 0.02, 1e-4
"""By which numbers of a drawing may differ on another machine: 1/72 inch, and below 1."""
_LEVELS = 8 / 255
"""By which a point of a PNG may."""
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
    texts = [_named(path.read_text(encoding="utf-8")) for path in (told, again)]
    if _NUMBER.split(texts[0]) != _NUMBER.split(texts[1]):
        return False
    pairs = zip(*(_NUMBER.findall(text) for text in texts), strict=True)
    return all(one == other or _close(float(one), float(other)) for one, other in pairs)


def _named(drawing: str) -> str:
    """A drawing whose shapes are called by their order."""
    order: dict[str, str] = {}
    return _NAME.sub(lambda found: order.setdefault(found[0], f"shape-{len(order)}"), drawing)


def _close(one: float, other: float) -> bool:
    return abs(one - other) <= (_POINTS if abs(other) >= 1 else _SHARE)


def _same_points(told: Path, again: Path) -> bool:
    from matplotlib.image import imread
    from PIL import Image

    try:
        with Image.open(told) as image:
            if getattr(image, "n_frames", 1) != 1:
                return False
        points = [np.asarray(imread(path), np.float64) for path in (told, again)]
    # What is no PNG.
    except (OSError, SyntaxError, ValueError):
        return False
    if points[0].shape != points[1].shape:
        return False
    return bool(np.abs(points[0] - points[1]).max() <= _LEVELS)


def shown_otherwise(report: Path) -> list[str]:
    """The drawings of a report that its page does not show as their files have them."""
    page = (report / "index.html").read_text(encoding="utf-8")
    drawings = set(pictures_of(report))
    wrong = []
    for source, link in _SHOWN.findall(page):
        name = unquote(unescape(link))
        if name not in drawings or unquote(unescape(source)) != _in_page(report / name):
            wrong.append(name)
    return wrong


def _in_page(path: Path) -> str:
    return _ADDRESS + path.read_text(encoding="utf-8").replace('"', "'")
