"""Grouped bars: the UA of each feature alone, and its weight among all, by domain."""

import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from emonas.report.figures.style import (
    FAINT,
    HATCHES,
    INK,
    PALETTE,
    draw_reason,
    save,
    style,
)
from emonas.report.gates import Bar, GateBars
from emonas.report.papers import NOT_RUN

_GROUP = 0.82  # of the distance between two groups
_PUBLISHED: dict[str, Any] = {
    "color": INK,
    "linestyle": "none",
    "marker": "D",
    "markerfacecolor": "none",
    "ms": 5.5,
    "zorder": 5,
}


def draw_gates(bars: GateBars, system: str, path: Path, remark: str = "") -> None:
    """Draw both panels side by side.

    Intervals are whiskers, chance level a faint line, published figures hollow diamonds. `remark`
    stands above, for what the scores can't say.
    """
    with style():
        width = 1.2 + 0.25 * len(bars.domains) * (len(bars.features) + 1)
        figure = Figure(figsize=(max(7.6, 2 * width), 3.6), layout="constrained")
        left, right = figure.subplots(1, 2)
        _draw_panel(left, bars, bars.alone, 100)
        left.set_title("(a) each feature alone")
        left.set_ylabel("UA (%)")
        _draw_panel(right, bars, bars.gates, 1)
        right.set_title(f"(b) gates of {system}")
        right.set_ylabel("mean weight")
        if remark:
            figure.suptitle(remark, color=PALETTE[1], fontweight="bold", fontsize=10)
        figure.legend(handles=_legend(bars), loc="outside lower center", ncols=6, fontsize=8)
        save(figure, path)


def _draw_panel(axes: Axes, bars: GateBars, panel: Sequence[Bar], factor: int) -> None:
    if all(bar.own.value is None for bar in panel):
        reasons = dict.fromkeys(bar.own.missing for bar in panel if bar.own.missing)
        text = "\n".join(textwrap.fill(reason, 44) for reason in reasons)
        draw_reason(axes, text)
        axes.set_xticks([])
        axes.set_yticks([])
        return
    step = _GROUP / len(bars.features)
    for bar in panel:
        place = bars.features.index(bar.feature)
        group = bars.domains.index(bar.domain)
        middle = group + (place - (len(bars.features) - 1) / 2) * step
        if bar.own.value is not None:
            axes.bar(middle, factor * bar.own.value, 0.9 * step, **_fill(place))
        _draw_marks(axes, bar, middle, 0.9 * step, factor)
        if bar.own.level is not None:
            ends = (group - _GROUP / 2, group + _GROUP / 2)
            axes.hlines(factor * bar.own.level, *ends, color=FAINT, linewidth=1, zorder=3)
    axes.set_xticks(range(len(bars.domains)), bars.domains)
    axes.tick_params(axis="x", length=0)
    axes.set_xlim(-0.6, len(bars.domains) - 0.4)
    axes.set_ylim(bottom=0)
    axes.grid(visible=False, axis="x")


def _draw_marks(axes: Axes, bar: Bar, middle: float, width: float, factor: int) -> None:
    if bar.own.missing:
        said: dict[str, Any] = {"rotation": 90, "ha": "center", "va": "bottom", "fontsize": 8}
        transform = axes.get_xaxis_transform()
        axes.text(middle, 0.02, NOT_RUN, color=FAINT, transform=transform, **said)
    if bar.own.interval is not None:
        low, high = (factor * bound for bound in bar.own.interval)
        arm = width / 5
        axes.vlines(middle, low, high, color=INK, linewidth=1.1, zorder=4)
        axes.hlines([low, high], middle - arm, middle + arm, color=INK, linewidth=1.1, zorder=4)
    if isinstance(bar.published, float):
        axes.plot(middle, factor * bar.published, **_PUBLISHED)


def _fill(place: int) -> dict[str, Any]:
    """The colour and hatch of a feature."""
    return {
        "facecolor": PALETTE[place % len(PALETTE)],
        "hatch": HATCHES[place % len(HATCHES)],
        "edgecolor": "white",
        "linewidth": 0,
    }


def _legend(bars: GateBars) -> list[Line2D | Patch]:
    handles: list[Line2D | Patch] = [
        Patch(label=feature, **_fill(place)) for place, feature in enumerate(bars.features)
    ]
    every = (*bars.alone, *bars.gates)
    if any(isinstance(bar.published, float) for bar in every):
        handles.append(Line2D([], [], label="published", **_PUBLISHED))
    if any(bar.own.interval for bar in every):
        whisker: dict[str, Any] = {"linestyle": "none", "marker": "|", "ms": 11}
        handles.append(Line2D([], [], color=INK, label="95% interval", **whisker))
    if any(bar.own.level is not None for bar in every):
        handles.append(Line2D([], [], color=FAINT, linewidth=1, label="chance"))
    return handles
