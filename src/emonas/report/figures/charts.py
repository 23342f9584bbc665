"""Confusion matrices, and UA by fold."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from emonas.report.figures.style import FAINT, INK, PALETTE, save, style
from emonas.storage.metrics import Metrics


def draw_confusion(metrics: Metrics, path: Path, remark: str = "") -> None:
    """Draw a confusion matrix: rows are true classes, in percent of their utterances.

    `remark` stands above it, for what the scores can't say.
    """
    counts = np.asarray(metrics.confusion, dtype=float)
    totals = counts.sum(axis=1, keepdims=True)
    share = np.divide(counts, totals, out=np.zeros_like(counts), where=totals > 0)
    classes = len(metrics.labels)
    side = 1.4 + 0.62 * classes
    with style():
        figure = Figure(figsize=(side, side))
        axes = figure.subplots()
        axes.imshow(share, cmap="Blues", vmin=0, vmax=1)
        for row in range(classes):
            for column in range(classes):
                axes.text(
                    column,
                    row,
                    f"{100 * share[row, column]:.0f}%\n{counts[row, column]:.0f}",
                    ha="center",
                    va="center",
                    fontsize=7.5,
                    color="white" if share[row, column] > 0.55 else INK,
                )
        axes.set_xticks(range(classes), metrics.labels, rotation=40, ha="right")
        axes.set_yticks(range(classes), metrics.labels)
        axes.set_xlabel("predicted")
        axes.set_ylabel("true")
        axes.set_title(remark, color=PALETTE[1])
        axes.grid(visible=False)
        axes.spines[:].set_visible(False)
        axes.tick_params(length=0)
        save(figure, path)


def draw_systems(
    systems: Mapping[str, Metrics], chance: float, path: Path, remark: str = ""
) -> None:
    """Draw each system's UA: a dot a fold and seed, a bar at the mean, and chance level.

    `remark` stands above it, for what the scores can't say.
    """
    names = list(systems)
    with style():
        figure = Figure(figsize=(7.2, 0.9 + 0.42 * len(names)))
        axes = figure.subplots()
        for row, name in enumerate(names):
            metrics = systems[name]
            scores = 100 * np.asarray([fold.ua for fold in metrics.folds], dtype=float)
            # A fixed small offset by rank keeps equal scores apart without any randomness.
            offsets = (np.arange(len(scores)) % 5 - 2) * 0.07
            axes.plot(scores, row + offsets, "o", ms=5, alpha=0.45, color=PALETTE[0], mew=0)
            mean = 100 * metrics.figure("ua").mean
            axes.plot([mean, mean], [row - 0.32, row + 0.32], color=PALETTE[1], linewidth=2.6)
            axes.annotate(
                f"{mean:.1f}",
                (1.01, row),
                xycoords=("axes fraction", "data"),
                va="center",
                color=PALETTE[1],
                fontweight="bold",
            )
        axes.axvline(100 * chance, color=FAINT, linestyle="--", linewidth=1.2)
        axes.text(100 * chance, -0.62, " chance", color=FAINT, fontsize=8, va="center")
        axes.set_yticks(range(len(names)), names)
        axes.set_ylim(len(names) - 0.5, -0.85)
        axes.set_xlim(0, 100)
        axes.set_xlabel("UA in percent (dots: folds and seeds; bar: the mean)")
        axes.grid(visible=False, axis="y")
        axes.set_title(remark, color=PALETTE[1])
        save(figure, path)
