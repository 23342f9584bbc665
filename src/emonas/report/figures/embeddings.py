"""Embeddings in two dimensions: a point an utterance, a colour and a marker a class."""

import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from emonas.report.embeddings import Cloud
from emonas.report.figures.style import MARKERS, PALETTE, draw_reason, save, style
from emonas.report.tables import score_text

_COLUMNS = 3
_SIDE = 3.4  # inches
_SHAPES = 1500


def draw_embeddings(clouds: Sequence[Cloud], path: Path, remark: str = "") -> None:
    """Draw the panels of a figure side by side, the same classes in the same signs.

    `remark` stands above, for what the embeddings can't say.
    """
    columns = min(_COLUMNS, len(clouds))
    rows = -(-len(clouds) // columns)
    signs = _signs(clouds)
    with style():
        size = (_SIDE * columns, (_SIDE + 0.35) * rows + 0.5)
        figure = Figure(figsize=size, layout="constrained")
        grid = figure.subplots(rows, columns, squeeze=False)
        for axes in grid.flat:
            axes.set_axis_off()
        for axes, cloud in zip(grid.flat, clouds, strict=False):
            axes.set_axis_on()
            _draw_cloud(axes, cloud, signs)
        if remark:
            figure.suptitle(remark, color=PALETTE[1], fontweight="bold", fontsize=10)
        handles = [Line2D([], [], ms=5.5, label=name, **sign) for name, sign in signs.items()]
        if handles:
            ncols = max(2, 2 * columns)
            figure.legend(handles=handles, loc="outside lower center", ncols=ncols, fontsize=8)
        save(figure, path)


def _signs(clouds: Sequence[Cloud]) -> dict[str, dict[str, Any]]:
    """The colour and marker of each class of any panel."""
    classes = sorted({label for cloud in clouds for label in cloud.labels})
    return {
        label: {
            "color": PALETTE[place % len(PALETTE)],
            # A second round of colours gets other markers.
            "marker": MARKERS[(place + place // len(PALETTE)) % len(MARKERS)],
            "linestyle": "none",
        }
        for place, label in enumerate(classes)
    }


def _draw_cloud(axes: Axes, cloud: Cloud, signs: Mapping[str, dict[str, Any]]) -> None:
    axes.set_title(cloud.name)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.set_box_aspect(1)
    axes.spines[:].set_visible(True)
    if cloud.places is None:
        draw_reason(axes, textwrap.fill(cloud.missing, 34))
        return
    size = 5.5 if len(cloud.labels) < 150 else 4.0 if len(cloud.labels) < 800 else 2.5
    # A shape a point would be heavy: so many are an image within the drawing, the rest is not.
    heavy = len(cloud.labels) > _SHAPES
    for label, sign in signs.items():
        kept = [place for place, own in enumerate(cloud.labels) if own == label]
        x, y = cloud.places[kept].T
        axes.plot(x, y, ms=size, alpha=0.75, mew=0, rasterized=heavy, **sign)
    axes.margins(0.06)
    if cloud.silhouette is not None:
        axes.set_xlabel(f"silhouette {score_text(cloud.silhouette)}")
