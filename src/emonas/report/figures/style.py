"""What all figures share: colours, fonts, and how they are saved."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.style import context

from emonas.storage.atomic import whole_file, write_text

# Okabe and Ito's palette, which people with any colour vision can tell apart; black comes last.
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#7A6A00", "#000000")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
HATCHES = ("", "///", "...", "xxx", "\\\\\\", "ooo", "---", "+++")
INK = "#1d2733"
FAINT = "#8a94a0"
LINE = "#d5dae0"
_DPI = 150
_MARGIN = 0.1
"""Inches around what is drawn."""
_SAID = ("Date", "Creator", "Format", "Type")
_DOCTYPE = re.compile(r"<!DOCTYPE[^>]*>")
_GROUP = re.compile(r'<g id="(?!axes_)[^"]*">')
_MOVED = re.compile(r'transform="translate\((\S+) 0\)"/>')
_DECIMALS = re.compile(r"-?\d+\.\d{3,}")


@contextmanager
def style() -> Iterator[None]:
    """Give figures the report's look, whatever the user's matplotlib settings are."""
    settings: dict[str, Any] = {
        "font.family": "DejaVu Sans",
        "font.size": 9,
        "axes.titlesize": 10,
        "axes.titleweight": "bold",
        "axes.titlelocation": "left",
        "axes.edgecolor": FAINT,
        "axes.labelcolor": INK,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "axes.axisbelow": True,
        "grid.color": LINE,
        "grid.linewidth": 0.6,
        "text.color": INK,
        # A label or a name with dollar signs is no formula; our own say that they are.
        "text.parse_math": False,
        "xtick.color": INK,
        "ytick.color": INK,
        "legend.frameon": False,
        "svg.fonttype": "path",
        "svg.hashsalt": "emonas",
    }
    with context(settings, after_reset=True):
        yield


def draw_reason(axes: Axes, text: str) -> None:
    """Say in the place of a picture why there is none."""
    middle: dict[str, Any] = {"transform": axes.transAxes, "ha": "center", "va": "center"}
    axes.text(0.5, 0.5, text, color=FAINT, **middle)


def compact(drawing: str) -> str:
    """An SVG without what nobody sees: doctype, the names of groups but axes, ends of lines, and
    decimals behind the second, of 1/72 inch; the names of letters are short.

    Texts stay shapes, as those who read the report may lack the font, and each stands in a comment.
    """
    drawing = _DOCTYPE.sub("", drawing)
    drawing = _GROUP.sub("<g>", " ".join(drawing.split())).replace("> <", "><")
    drawing = _MOVED.sub(r'x="\1"/>', drawing).replace("DejaVuSans-", "d-")
    return _DECIMALS.sub(_rounded, drawing)


def _rounded(found: re.Match[str]) -> str:
    """Two decimals; what is below 1 may be a scale, and keeps more."""
    value = float(found[0])
    return f"{round(value, 2):g}" if 1 <= abs(value) < 10_000 else f"{value:.5g}"


def save(figure: Figure, path: Path) -> None:
    """Write a figure as `path` (SVG) and a PNG beside it, without dates and versions."""
    drawing = StringIO()
    # Left to itself, matplotlib finds the layout and the edges by a draw for each of the two.
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    edges = figure.get_tightbbox().padded(_MARGIN)
    figure.savefig(drawing, format="svg", bbox_inches=edges, metadata=dict.fromkeys(_SAID))
    write_text(path, compact(drawing.getvalue()))
    with whole_file(path.with_suffix(".png")) as temporary:
        figure.savefig(temporary, bbox_inches=edges, dpi=_DPI, metadata={"Software": None})
