"""What all figures share: colours, fonts, and how they are saved."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.style import context

from emonas.storage.atomic import whole_file

# Okabe and Ito's palette, which people with any colour vision can tell apart; black comes last.
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#7A6A00", "#000000")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
HATCHES = ("", "///", "...", "xxx", "\\\\\\", "ooo", "---", "+++")
INK = "#1d2733"
FAINT = "#8a94a0"
LINE = "#d5dae0"


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


def save(figure: Figure, path: Path) -> None:
    """Write a figure as `path` (SVG) and a PNG beside it, without dates and versions."""
    with whole_file(path) as temporary:
        figure.savefig(temporary, bbox_inches="tight", metadata={"Date": None, "Creator": "emonas"})
    with whole_file(path.with_suffix(".png")) as temporary:
        figure.savefig(temporary, bbox_inches="tight", dpi=150, metadata={"Software": None})
