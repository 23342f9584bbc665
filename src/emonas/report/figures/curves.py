"""Validation curves by epoch, and the weights of candidate operations during a search."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.special import softmax

from emonas.report.figures.measures import (
    SCORES,
    count_epochs,
    count_panels,
    draw_measure,
    lines_of,
)
from emonas.report.figures.style import FAINT, MARKERS, PALETTE, save, style
from emonas.report.gather import History

_MEASURES = tuple(zip(SCORES, ("validation loss", "validation UA (%)"), (1, 100), strict=True))


def draw_curves(search: Sequence[History], training: Sequence[History], path: Path) -> None:
    """Draw validation loss and UA by epoch, a line a fold and seed, and their median.

    Histories with a column `candidate` (a selection among cells) are drawn a line a candidate.
    What else a system counts by epoch has panels of its own below.
    """
    rows = [("search", search)] if any(map(_has_curve, search)) else []
    rows.append(("training", training))
    counts = [
        (title, draw)
        for title, histories in (("search", search), ("training", training))
        for draw in count_panels(histories)
    ]
    lines = len(rows) + -(-len(counts) // 2)
    with style():
        figure = Figure(figsize=(8.4, 2.7 * lines), layout="constrained")
        grid = figure.subplots(lines, 2, squeeze=False)
        for row, (title, histories) in zip(grid, rows, strict=False):
            for axes, (column, label, factor) in zip(row, _MEASURES, strict=True):
                draw_measure(axes, histories, column, factor)
                if column == "validation_loss":
                    leave_diverged_out(axes)
                axes.set_title(title)
                axes.set_ylabel(label)
        places = list(grid[len(rows) :].flat)
        for axes, (title, draw) in zip(places, counts, strict=False):
            draw(axes)
            axes.set_title(title)
        for axes in places[len(counts) :]:
            axes.set_axis_off()
        save(figure, path)


def _has_curve(history: History) -> bool:
    return any(lines_of([history], column) for column, *_ in _MEASURES)


def leave_diverged_out(axes: Axes) -> None:
    """End the axis below losses of more than ten times the median, which would press all flat."""
    curves = [np.asarray(line.get_ydata(), dtype=float) for line in axes.get_lines()]
    values = np.concatenate([*curves, np.empty(0)])
    values = values[np.isfinite(values)]
    if not values.size or values.max() <= (top := 10 * float(np.median(values))):
        return
    kept = values[values <= top]
    margin = 0.05 * float(np.ptp(kept))
    axes.set_ylim(float(kept.min()) - margin, float(kept.max()) + margin)
    count = sum(bool((curve > top).any()) for curve in curves)
    axes.set_title(f"{count} leave the picture", loc="right", fontsize=8, color=FAINT)


def operation_weights(history: History, cell: str, operations: Sequence[str]) -> pd.DataFrame:
    """Mean softmax weight over the edges of a cell, a column an operation, by epoch.

    The columns are `alpha_{cell}_{edge}_{operation}`; weights that sum to one over the operations
    of an edge are taken as they are.
    """
    table = history.table.set_index("epoch")
    edges: dict[str, dict[str, pd.Series]] = {}
    for column in table.columns:
        if not column.startswith(f"alpha_{cell}_"):
            continue
        edge, _, operation = column.removeprefix(f"alpha_{cell}_").partition("_")
        edges.setdefault(edge, {})[operation] = table[column]
    values = np.stack(
        [np.stack([columns[name] for name in operations], axis=-1) for columns in edges.values()]
    )
    weights = values if _sums_to_one(values) else softmax(values, axis=-1)
    return pd.DataFrame(weights.mean(axis=0), index=table.index, columns=list(operations))


def _sums_to_one(values: npt.NDArray[np.float64]) -> bool:
    return bool((values >= 0).all() and np.allclose(values.sum(axis=-1), 1, atol=1e-3))


def alpha_operations(history: History) -> dict[str, list[str]]:
    """The operations of each cell whose weights a search's history holds."""
    found: dict[str, list[str]] = {}
    for column in history.table.columns:
        parts = column.split("_", 3)
        if parts[0] == "alpha" and len(parts) == 4 and parts[3] not in found.get(parts[1], []):
            found.setdefault(parts[1], []).append(parts[3])
    return found


def draw_alphas(history: History, path: Path) -> None:
    """Draw how the weights of the candidate operations went, averaged over the edges of a cell."""
    cells = alpha_operations(history)
    with style():
        figure = Figure(figsize=(8.4, 2.9), layout="constrained")
        grid = figure.subplots(1, len(cells), squeeze=False, sharey=True)[0]
        for axes, (cell, operations) in zip(grid, cells.items(), strict=True):
            weights = operation_weights(history, cell, operations)
            every = max(1, len(weights) // 6)
            for number, operation in enumerate(operations):
                axes.plot(
                    weights.index,
                    weights[operation],
                    color=PALETTE[number % len(PALETTE)],
                    marker=MARKERS[number % len(MARKERS)],
                    ms=4.5,
                    # So many epochs apart, each operation's at places of their own.
                    markevery=(number % every, every),
                    linewidth=1.8,
                    label=operation.replace("_", " "),
                )
            axes.set_title(f"{cell} cell")
            count_epochs(axes)
        grid[0].set_ylabel("mean weight over edges")
        figure.legend(*grid[0].get_legend_handles_labels(), loc="outside right center", fontsize=8)
        save(figure, path)
