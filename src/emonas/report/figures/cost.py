"""Accuracy against cost, with the Pareto front."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from emonas.report.figures.style import FAINT, INK, PALETTE, save, style


def draw_cost(
    rows: Sequence[Mapping[str, Any]], key: str, label: str, path: Path, remark: str = ""
) -> None:
    """Draw each system's UA and its interval against what it costs; a line joins those that no
    other beats.

    Args:
        rows: of the table of costs, each with a cost and a UA.
        key: of the cost in a row.
        label: of the axis.
        path: where the SVG goes.
        remark: stands above it, for what the scores can't say.
    """
    with style():
        figure = Figure(figsize=(7.2, 3.8), layout="constrained")
        axes = figure.subplots()
        front = sorted((row for row in rows if row["front"]), key=lambda row: float(row[key]))
        axes.step(
            [float(row[key]) for row in front],
            [100 * row["ua"] for row in front],
            where="post",
            color=PALETTE[1],
            linestyle="--",
            linewidth=1.4,
        )
        for row in rows:
            _draw(axes, row, float(row[key]))
        axes.set_xscale("log")
        axes.margins(x=0.18, y=0.15)
        axes.set_xlabel(label)
        axes.set_ylabel("UA (%)")
        axes.set_title(remark, color=PALETTE[1])
        save(figure, path)


def _draw(axes: Any, row: Mapping[str, Any], cost: float) -> None:
    on = bool(row["front"])
    ua = 100 * row["ua"]
    if row.get("ua_low") is not None:
        axes.plot([cost, cost], [100 * row["ua_low"], 100 * row["ua_high"]], color=FAINT, lw=1)
    axes.plot(
        cost,
        ua,
        "o" if on else "s",
        ms=7,
        color=PALETTE[1] if on else PALETTE[0],
        mfc=PALETTE[1] if on else "white",
    )
    axes.annotate(
        row["system"], (cost, ua), xytext=(7, 4), textcoords="offset points", fontsize=8, color=INK
    )
