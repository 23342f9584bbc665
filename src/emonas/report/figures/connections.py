"""Drawings of searched connections: features on the left, what is made of them on the right."""

from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch, PathPatch
from matplotlib.path import Path as Curve

from emonas.report.connections import Connections, how_many_open
from emonas.report.figures.style import FAINT, INK, PALETTE, save, style
from emonas.storage.genotype import ConnectionsGenotype

_COLUMNS = 3
# In inches, which are the units of the drawing.
_WIDTH, _ROW, _GAP = 3.3, 0.46, 0.18
_FEATURE, _MADE, _HEIGHT = 1.15, 0.5, 0.28


def draw_connections(genotype: ConnectionsGenotype, path: Path) -> None:
    """Draw a panel a domain: a line is an open connection, in the colour of its feature."""
    domains = genotype.domains
    columns = min(_COLUMNS, len(domains))
    rows = -(-len(domains) // columns)
    with style():
        size = ((_WIDTH + 2 * _GAP) * columns, (_ROW * len(genotype.features) + 0.5) * rows)
        figure = Figure(figsize=size)
        figure.set_layout_engine("constrained", w_pad=_GAP)
        grid = figure.subplots(rows, columns, squeeze=False)
        for axes in grid.flat:
            axes.set_axis_off()
        for axes, (domain, table) in zip(grid.flat, domains.items(), strict=False):
            _draw_domain(axes, genotype.features, table)
            axes.set_title(domain)
            text = how_many_open(table)
            axes.set_title(text, loc="right", fontsize=8, fontweight="normal", color=FAINT)
        save(figure, path)


def _draw_domain(axes: Axes, features: tuple[str, ...], table: Connections) -> None:
    axes.set_xlim(0, _WIDTH)
    axes.set_ylim(_ROW * len(features), 0)
    axes.set_aspect("equal")
    heights = [_ROW * (place + 0.5) for place in range(len(features))]
    for made, row in enumerate(table):
        for place, is_open in enumerate(row):
            if is_open:
                colour = PALETTE[place % len(PALETTE)]
                _draw_line(axes, heights[place], heights[made], colour)
    for place, (feature, height) in enumerate(zip(features, heights, strict=True)):
        goes = any(row[place] for row in table)
        colour = PALETTE[place % len(PALETTE)] if goes else FAINT
        _draw_box(axes, (0.02, _FEATURE), height, feature, colour)
        colour = INK if any(table[place]) else FAINT
        _draw_box(axes, (_WIDTH - _MADE - 0.02, _MADE), height, f"$u_{{{place + 1}}}$", colour)


def _draw_line(axes: Axes, start: float, end: float, colour: str) -> None:
    left, right = _FEATURE + 0.04, _WIDTH - _MADE - 0.04
    middle = (left + right) / 2
    curve = Curve(
        [(left, start), (middle, start), (middle, end), (right, end)],
        [Curve.MOVETO, Curve.CURVE4, Curve.CURVE4, Curve.CURVE4],
    )
    axes.add_patch(PathPatch(curve, fill=False, edgecolor=colour, linewidth=1.6, zorder=1))


def _draw_box(axes: Axes, span: tuple[float, float], middle: float, text: str, colour: str) -> None:
    left, width = span
    box = FancyBboxPatch(
        (left, middle - _HEIGHT / 2),
        width,
        _HEIGHT,
        boxstyle="round,pad=0,rounding_size=0.07",
        facecolor="white",
        edgecolor=colour,
        linewidth=1.3,
        zorder=3,
    )
    axes.add_patch(box)
    shown = text if len(text) <= 14 or text.startswith("$") else f"{text[:13]}…"
    faint = FAINT if colour == FAINT else INK
    place = (left + width / 2, middle)
    text_style: dict[str, Any] = {"fontsize": 8.5, "color": faint, "zorder": 4}
    formula = text.startswith("$u_{")
    axes.text(*place, shown, ha="center", va="center", parse_math=formula, **text_style)
