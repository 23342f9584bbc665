"""Panels of curves by epoch: one measure of many histories, and what a kind of system counts."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from emonas.report.figures.style import FAINT, MARKERS, PALETTE
from emonas.report.gather import History
from emonas.storage.history import CONTRASTIVE, COSINE

SCORES = ("validation_loss", "validation_ua")
_OPEN = "open_"


def draw_measure(axes: Axes, histories: Sequence[History], column: str, factor: int) -> None:
    """Draw a measure by epoch: a line a history or candidate, and their median."""
    lines = [line * factor for line in lines_of(histories, column)]
    if not lines:
        axes.text(0.5, 0.5, "no such curve", transform=axes.transAxes, ha="center", color=FAINT)
        axes.set_xticks([])
        axes.set_yticks([])
        return
    for line in lines:
        marker = "o" if len(line) == 1 else ""
        axes.plot(line.index, line, color=PALETTE[0], alpha=0.35, linewidth=1, marker=marker, ms=3)
    median = pd.concat(lines, axis=1).median(axis=1)
    if len(lines) > 1 and len(median) > 1:
        axes.plot(median.index, median, color=PALETTE[1], linewidth=2, label="median")
        axes.legend(loc="best", fontsize=8)
    count_epochs(axes)


def lines_of(histories: Sequence[History], column: str) -> list[pd.Series]:
    """A measure by epoch, of every history that has it; of a selection, of every candidate."""
    return [line for history in histories for line in _lines(history.table, column) if len(line)]


def _lines(table: pd.DataFrame, column: str) -> list[pd.Series]:
    if not {"epoch", column} <= set(table.columns):
        return []
    groups = [group for _, group in table.groupby("candidate")] if "candidate" in table else [table]
    return [
        group.dropna(subset=[column])
        .drop_duplicates("epoch", keep="last")
        .set_index("epoch")[column]
        for group in groups
    ]


def is_measure(column: str) -> bool:
    """Whether a column of a history is drawn by epoch."""
    return column in (*SCORES, CONTRASTIVE) or column.startswith((_OPEN, COSINE))


def count_panels(histories: Sequence[History]) -> list[Callable[[Axes], None]]:
    """How to draw what a system counts by epoch besides losses and scores: open connections, the
    share of batches in which the contrastive loss acted, and how far tasks' gradients conflict.
    """
    panels: list[Callable[[Axes], None]] = []
    columns = dict.fromkeys(name for history in histories for name in history.table.columns)
    if opened := [name for name in columns if name.startswith(_OPEN)]:
        panels.append(partial(_draw_open, histories=histories, columns=opened))
    if cosines := [name for name in columns if name.startswith(COSINE)]:
        panels.append(partial(_draw_conflict, histories=histories, columns=cosines))
    if lines_of(histories, CONTRASTIVE):
        panels.append(partial(_draw_contrastive, histories=histories))
    return panels


def _draw_open(axes: Axes, histories: Sequence[History], columns: Sequence[str]) -> None:
    """A colour a domain."""
    _draw_columns(axes, histories, {name: name.removeprefix(_OPEN) for name in columns})
    axes.set_ylabel("connections expected open")
    axes.set_ylim(bottom=0)


def _draw_conflict(axes: Axes, histories: Sequence[History], columns: Sequence[str]) -> None:
    """A colour a pair of tasks; below 0 their gradients pull the encoder in opposite directions."""
    named = {name: " and ".join(name.removeprefix(COSINE).split("_")) for name in columns}
    axes.axhline(0, color=FAINT, linewidth=1)
    _draw_columns(axes, histories, named)
    axes.set_ylabel("cosine of the gradients")
    axes.set_ylim(-1.05, 1.05)


def _draw_columns(axes: Axes, histories: Sequence[History], columns: Mapping[str, str]) -> None:
    """A colour a column, which has a name: a faint line a history, and their median."""
    for place, (column, name) in enumerate(columns.items()):
        sign: dict[str, Any] = {
            "color": PALETTE[place % len(PALETTE)],
            "marker": MARKERS[place % len(MARKERS)],
        }
        lines = lines_of(histories, column)
        for line in lines if len(lines) > 1 else []:
            axes.plot(line.index, line, color=sign["color"], alpha=0.25, linewidth=0.8)
        if lines:
            median = pd.concat(lines, axis=1).median(axis=1)
            every = max(1, len(median) // 8)
            axes.plot(
                median.index, median, linewidth=1.8, ms=4.5, markevery=every, label=name, **sign
            )
    axes.legend(loc="best", fontsize=8)
    count_epochs(axes)


def _draw_contrastive(axes: Axes, histories: Sequence[History]) -> None:
    draw_measure(axes, histories, CONTRASTIVE, 100)
    axes.set_ylabel("contrastive batches (%)")
    axes.set_ylim(-4, 104)


def count_epochs(axes: Axes) -> None:
    """Number the epochs below; one alone has one number, and no fractions beside it."""
    axes.set_xlabel("epoch")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
