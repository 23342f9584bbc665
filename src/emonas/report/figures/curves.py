"""Validation curves by epoch, and the weights of candidate operations during a search."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from scipy.special import softmax

from emonas.report.figures.style import FAINT, PALETTE, save, style
from emonas.report.gather import History

_MEASURES = (("validation_loss", "validation loss", 1), ("validation_ua", "validation UA (%)", 100))


def draw_curves(search: Sequence[History], training: Sequence[History], path: Path) -> None:
    """Draw validation loss and UA by epoch, a line a fold and seed, and their median.

    Histories with a column `candidate` (a selection among cells) are drawn a line a candidate.
    """
    rows = [("search", search)] if any(map(_has_curve, search)) else []
    rows.append(("training", training))
    with style():
        figure = Figure(figsize=(8.4, 2.7 * len(rows)), layout="constrained")
        grid = figure.subplots(len(rows), 2, squeeze=False)
        for row, (title, histories) in zip(grid, rows, strict=True):
            for axes, (column, label, factor) in zip(row, _MEASURES, strict=True):
                _draw_measure(axes, histories, column, factor)
                if column == "validation_loss":
                    leave_diverged_out(axes)
                axes.set_title(title)
                axes.set_ylabel(label)
        save(figure, path)


def _has_curve(history: History) -> bool:
    return any(_lines(history.table, column) for column, *_ in _MEASURES)


def _draw_measure(axes: Axes, histories: Sequence[History], column: str, factor: int) -> None:
    lines = [line for history in histories for line in _lines(history.table, column)]
    lines = [line * factor for line in lines if len(line)]
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
    axes.set_xlabel("epoch")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))


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
            for number, operation in enumerate(operations):
                axes.plot(
                    weights.index,
                    weights[operation],
                    color=PALETTE[number % len(PALETTE)],
                    linewidth=1.8,
                    label=operation.replace("_", " "),
                )
            axes.set_title(f"{cell} cell")
            axes.set_xlabel("epoch")
            axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        grid[0].set_ylabel("mean weight over edges")
        figure.legend(*grid[0].get_legend_handles_labels(), loc="outside right center", fontsize=8)
        save(figure, path)
