"""UA or WA against a number: the papers' line plots, with own figures."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator

from emonas.report.figures.style import FAINT, INK, MARKERS, PALETTE, save, style
from emonas.report.lines import Line, Panel

_DASHES = ((0, (5, 2)), (0, (1.5, 1.5)), (0, (6, 2, 1.5, 2)), (0, (9, 3)))


def draw_lines(
    panels: Sequence[Panel], axis: str, metric: str, path: Path, remark: str = ""
) -> None:
    """Draw the panels of a figure side by side on one scale.

    Own figures are solid lines with their intervals as thin bars, baselines dashed, published
    figures hollow markers, chance level a faint line. `remark` stands above, for what the scores
    can't say.
    """
    with style():
        width = 1.6 + 3.7 * len(panels) if len(panels) > 1 else 6.4
        figure = Figure(figsize=(width, 4.3), layout="constrained")
        dashes = _dashes(panels)
        grid = figure.subplots(1, len(panels), squeeze=False, sharey=True)[0]
        for axes, panel in zip(grid, panels, strict=True):
            _draw_panel(axes, panel, dashes)
            axes.set_title(panel.name)
            axes.set_xlabel(axis)
            # Lines down would hide the intervals that stand on them.
            axes.grid(visible=False, axis="x")
        grid[0].set_ylabel(f"{metric} (%)")
        if remark:
            figure.suptitle(remark, color=PALETTE[1], fontweight="bold", fontsize=10)
        figure.legend(handles=_legend(panels), loc="outside lower center", ncols=4, fontsize=8)
        save(figure, path)


def _draw_panel(axes: Axes, panel: Panel, dashes: Mapping[str, Any]) -> None:
    numbers = sorted({x for line in panel.lines for x in (*line.points, *line.published)})
    if numbers:
        margin = 0.06 * (numbers[-1] - numbers[0]) or 0.5
        axes.set_xlim(numbers[0] - margin, numbers[-1] + margin)
        axes.xaxis.set_major_locator(FixedLocator(numbers))
        axes.xaxis.set_major_formatter(lambda number, _: f"{number:g}")
    else:
        axes.set_xticks([])
    for place, line in enumerate(panel.lines):
        _draw_line(axes, line, place, dashes)
    for level in _levels([panel]):
        axes.axhline(100 * level, color=FAINT, linewidth=1, alpha=0.7, zorder=0)
    if not any(line.points or line.baselines for line in panel.lines):
        text = "nothing of this was run"
        axes.text(0.5, 0.5, text, transform=axes.transAxes, ha="center", color=FAINT)


def _draw_line(axes: Axes, line: Line, place: int, dashes: Mapping[str, Any]) -> None:
    color, marker = PALETTE[place % len(PALETTE)], MARKERS[place % len(MARKERS)]
    for name, baseline in line.baselines.items():
        axes.axhline(
            100 * (baseline.value or 0),
            color=color,
            linestyle=dashes[name],
            linewidth=1.2,
            zorder=1.5,
        )
    numbers = sorted(line.points)
    heights = [100 * (line.points[number].value or 0) for number in numbers]
    for number in numbers:
        if interval := line.points[number].interval:
            low, high = interval
            axes.vlines(number, 100 * low, 100 * high, color=color, linewidth=0.9, alpha=0.55)
    axes.plot(numbers, heights, color=color, marker=marker, ms=5.5, linewidth=1.7, zorder=3)
    axes.plot(
        sorted(line.published),
        [100 * line.published[number] for number in sorted(line.published)],
        color=color,
        marker=marker,
        ms=8.5,
        linestyle="none",
        markerfacecolor="none",
        markeredgewidth=1.3,
        zorder=4,
    )


def _levels(panels: Sequence[Panel]) -> list[float]:
    """What chance reaches, in any line."""
    levels = {
        own.level
        for panel in panels
        for line in panel.lines
        for own in (*line.points.values(), *line.baselines.values())
        if own.level is not None
    }
    return sorted(levels)


def _legend(panels: Sequence[Panel]) -> list[Line2D]:
    """A line each, then what dashes, hollow markers, thin bars and the faint line are."""
    lines = [line for panel in panels for line in panel.lines]
    handles = [
        Line2D(
            [],
            [],
            color=PALETTE[place % len(PALETTE)],
            marker=MARKERS[place % len(MARKERS)],
            ms=5.5,
            linewidth=1.7,
            label=line.name,
        )
        for place, line in enumerate(panels[0].lines)
    ]
    for name, dashes in _dashes(panels).items():
        handles.append(Line2D([], [], color=INK, linestyle=dashes, linewidth=1.2, label=name))
    if any(line.published for line in lines):
        hollow: dict[str, Any] = {
            "linestyle": "none",
            "marker": "o",
            "markerfacecolor": "none",
            "ms": 8.5,
        }
        handles.append(Line2D([], [], color=INK, label="published", **hollow))
    if any(own.interval for line in lines for own in line.points.values()):
        handles.append(
            Line2D([], [], color=INK, linestyle="none", marker="|", ms=11, label="95% interval")
        )
    if _levels(panels):
        handles.append(Line2D([], [], color=FAINT, linewidth=1, alpha=0.7, label="chance"))
    return handles


def _dashes(panels: Sequence[Panel]) -> dict[str, Any]:
    """The dashes of each baseline, the same in all panels."""
    lines = [line for panel in panels for line in panel.lines]
    named = dict.fromkeys(name for line in lines for name in line.baselines)
    return {name: _DASHES[place % len(_DASHES)] for place, name in enumerate(named)}
