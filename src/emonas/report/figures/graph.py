"""Cards and wires: how a laid-out cell is drawn."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from matplotlib.axes import Axes
from matplotlib.patches import FancyBboxPatch, PathPatch
from matplotlib.path import Path

from emonas.report.figures.layered import Wire, lay_out
from emonas.report.figures.style import FAINT, INK, LINE

ROW = 0.42
HEAD = 0.46
PITCH = 2.95
WIDTH = 2.0


@dataclass(frozen=True)
class Card:
    """A node: its title, and a row (text, colour) an input; a colour alone where there is no
    text. `accent` marks the inputs and outputs of the cell.
    """

    name: str
    title: str
    rows: tuple[tuple[str, str], ...] = ()
    accent: bool = False

    @property
    def height(self) -> float:
        """Height of the card, in the drawing's units."""
        return HEAD + ROW * sum(1 for text, _ in self.rows if text)


def draw_graph(axes: Axes, cards: Sequence[Card], wires: Sequence[Wire]) -> tuple[float, float]:
    """Draw cards (in the order of computation) and wires; give width and height of the drawing."""
    heights = {card.name: card.height for card in cards}
    layout = lay_out(heights, wires)
    by_name = {card.name: card for card in cards}
    for wire in wires:
        source = (layout.column[wire.source] * PITCH + WIDTH, layout.y[wire.source])
        target = by_name[wire.target]
        end = (
            layout.column[wire.target] * PITCH,
            layout.y[wire.target] + _port(target, wire.port),
        )
        passed = [
            point
            for column, y in layout.lanes[wire]
            for point in ((column * PITCH - 0.1, y), (column * PITCH + WIDTH + 0.1, y))
        ]
        _draw_wire(axes, [source, *passed, end], target.rows[wire.port][1])
    for card in cards:
        _draw_card(axes, card, layout.column[card.name] * PITCH, layout.y[card.name])
    middles = [y for lanes in layout.lanes.values() for _, y in lanes]
    top = min([layout.y[card.name] - card.height / 2 for card in cards] + middles) - 0.2
    bottom = max([layout.y[card.name] + card.height / 2 for card in cards] + middles) + 0.2
    width = max(layout.column.values()) * PITCH + WIDTH
    axes.set_xlim(-0.15, width + 0.15)
    axes.set_ylim(bottom, top)
    axes.set_aspect("equal")
    axes.axis("off")
    return width + 0.3, bottom - top


def _port(card: Card, port: int) -> float:
    """Where an input enters, below the middle of the card."""
    if card.rows[port][0]:
        return -card.height / 2 + HEAD + (port + 0.5) * ROW - 0.06
    return card.height * ((port + 1) / (len(card.rows) + 1) - 0.5)


def _draw_wire(axes: Axes, points: Sequence[tuple[float, float]], colour: str) -> None:
    vertices = [points[0]]
    codes: list[int] = [int(Path.MOVETO)]
    for (x0, y0), (x1, y1) in pairwise(points):
        middle = (x0 + x1) / 2
        vertices += [(middle, y0), (middle, y1), (x1, y1)]
        codes += [int(Path.CURVE4)] * 3
    axes.add_patch(
        PathPatch(Path(vertices, codes), fill=False, edgecolor=colour, linewidth=1.5, zorder=1)
    )
    x, y = points[-1]
    axes.plot([x - 0.06], [y], marker=">", markersize=5, color=colour, zorder=2, clip_on=False)


def _draw_card(axes: Axes, card: Card, left: float, middle: float) -> None:
    top = middle - card.height / 2
    axes.add_patch(
        FancyBboxPatch(
            (left + 0.08, top + 0.08),
            WIDTH - 0.16,
            card.height - 0.16,
            boxstyle="round,pad=0.08,rounding_size=0.1",
            facecolor="#eef3f8" if card.accent else "white",
            edgecolor=INK if card.accent else FAINT,
            linewidth=1.1,
            zorder=3,
        )
    )
    axes.text(
        left + WIDTH / 2,
        top + HEAD / 2,
        card.title,
        parse_math=True,
        ha="center",
        va="center",
        fontsize=8,
        fontweight="bold" if card.accent or any(text for text, _ in card.rows) else "normal",
        zorder=4,
    )
    for row, (text, colour) in enumerate(card.rows):
        if text:
            y = top + HEAD + (row + 0.5) * ROW - 0.06
            axes.plot([left + 0.16], [y], "s", markersize=6, color=colour, zorder=4)
            axes.text(left + 0.3, y, text, ha="left", va="center", fontsize=8, zorder=4)
    if card.rows and card.rows[0][0]:
        y = top + HEAD - 0.04
        axes.plot([left + 0.1, left + WIDTH - 0.1], [y, y], color=LINE, linewidth=0.8, zorder=4)
