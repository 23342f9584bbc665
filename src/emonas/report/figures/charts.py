"""Confusion matrices, UA by fold, and the best systems of all protocols."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from emonas.report.figures.style import FAINT, INK, PALETTE, save, style
from emonas.report.overview import Standing
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


def draw_overview(standings: Sequence[Standing], path: Path) -> None:
    """Draw a row a protocol: a diamond with its interval for the highest mean UA, circles for the
    other systems, and a tick where chance is.
    """
    with style():
        figure = Figure(figsize=(7.2, 1.25 + 0.5 * len(standings)), layout="constrained")
        axes = figure.subplots()
        for row, standing in enumerate(standings):
            others = [
                100 * of.mean for name, of in standing.scores.items() if name != standing.best
            ]
            best = standing.scores[standing.best]
            axes.plot(others, [row] * len(others), "o", ms=5, color=PALETTE[0], alpha=0.5, mew=0)
            if best.interval:
                low, high = (100 * bound for bound in best.interval)
                axes.hlines(row, low, high, color=PALETTE[1], linewidth=1.6)
            axes.plot([100 * best.mean], [row], "D", ms=7, color=PALETTE[1], zorder=4)
            axes.plot([100 * standing.chance], [row], "|", ms=15, color=INK, mew=1.4)
            axes.annotate(
                standing.best,
                (100 * best.mean, row),
                (0, 8),
                textcoords="offset points",
                ha="center",
                fontsize=8,
                color=PALETTE[1],
            )
        axes.set_yticks(range(len(standings)), [_protocol(standing) for standing in standings])
        axes.set_ylim(len(standings) - 0.5, -0.7)
        axes.set_xlim(0, 100)
        axes.set_xlabel("UA in percent")
        axes.grid(visible=False, axis="y")
        figure.legend(handles=_overview_legend(), loc="outside lower center", ncols=4, fontsize=8)
        save(figure, path)


def _protocol(standing: Standing) -> str:
    return f"{standing.protocol}\n(synthetic speech)" if standing.synthetic else standing.protocol


def _overview_legend() -> list[Line2D]:
    plain: dict[str, Any] = {"linestyle": "none"}
    return [
        Line2D([], [], color=PALETTE[1], marker="D", ms=7, label="highest mean", **plain),
        Line2D([], [], color=PALETTE[1], linewidth=1.6, label="its 95% interval"),
        Line2D([], [], color=PALETTE[0], marker="o", ms=5, alpha=0.5, label="others", **plain),
        Line2D([], [], color=INK, marker="|", ms=12, mew=1.4, label="chance", **plain),
    ]
