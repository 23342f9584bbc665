"""Accuracy against cost, with the Pareto front."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from emonas.report.figures.style import FAINT, INK, PALETTE, save, style


def draw_cost(
    points: Sequence[Mapping[str, Any]], label: str, path: Path, remark: str = ""
) -> None:
    """Draw each system's UA and its interval against what it costs, with the quartiles where that
    was timed; a line joins those that no other beats.

    Args:
        points: `system`, `cost`, `ua`, the bounds of both (empty where there are none), and whether
            it is on the front.
        label: of the axis of costs.
        path: where the SVG goes.
        remark: stands above it, for what the scores can't say.
    """
    with style():
        figure = Figure(figsize=(7.2, 3.8), layout="constrained")
        axes = figure.subplots()
        front = sorted(
            (point for point in points if point["front"] == "yes"), key=lambda point: point["cost"]
        )
        axes.step(
            [point["cost"] for point in front],
            [100 * point["ua"] for point in front],
            where="post",
            color=PALETTE[1],
            linestyle="--",
            linewidth=1.4,
        )
        for point in points:
            _draw(axes, point)
        scale_by_cost(axes)
        axes.margins(x=0.18, y=0.15)
        axes.set_xlabel(label)
        axes.set_ylabel("UA (%)")
        axes.set_title(remark, color=PALETTE[1])
        save(figure, path)


def scale_by_cost(axes: Axes) -> None:
    """A logarithmic scale whose labels are plain numbers: figures draw no formulas."""
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())


def _draw(axes: Axes, point: Mapping[str, Any]) -> None:
    cost, ua = point["cost"], 100 * point["ua"]
    if point["ua_low"] != "":
        bounds = [100 * point["ua_low"], 100 * point["ua_high"]]
        axes.plot([cost, cost], bounds, color=FAINT, linewidth=1)
    if point["cost_low"] != "":
        axes.plot([point["cost_low"], point["cost_high"]], [ua, ua], color=FAINT, linewidth=1)
    if point["front"] == "yes":
        axes.plot(cost, ua, "o", markersize=7, color=PALETTE[1])
    else:
        axes.plot(cost, ua, "s", markersize=7, color=PALETTE[0], markerfacecolor="white")
    place: dict[str, Any] = {"xytext": (7, 4), "textcoords": "offset points"}
    axes.annotate(point["system"], (cost, ua), fontsize=8, color=INK, **place)
