"""What a drawing shows: whole, with a margin, and epochs by their numbers."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from PIL import Image

from emonas.report.figures.measures import draw_measure
from emonas.report.figures.style import save, style
from emonas.report.gather import History

MARGIN = 15
"""Pixels: a tenth of an inch at 150 dots an inch."""


def history(epochs):
    table = pd.DataFrame({"epoch": epochs, "validation_ua": np.linspace(0.4, 0.6, len(epochs))})
    return History(0, "fold", table)


@pytest.mark.parametrize("layout", ["constrained", None])
@pytest.mark.parametrize("label", ["UA", "a title longer than its axes"])
def test_all_that_is_drawn_is_seen_with_a_margin_around(tmp_path, layout, label):
    with style():
        figure = Figure(figsize=(4, 2), layout=layout)
        axes = figure.subplots()
        axes.plot([0, 1], [0, 1], label="a line")
        axes.set_ylabel("far\nfrom\nthe axes", labelpad=60)
        axes.set_title(label)
        figure.legend(loc="outside right center" if layout else "center right")
        save(figure, tmp_path / "a figure.svg")
    pixels = np.asarray(Image.open(tmp_path / "a figure.png").convert("L"))
    inked = [np.flatnonzero((pixels < 250).any(axis=other)) for other in (1, 0)]
    for places, size in zip(inked, pixels.shape, strict=True):
        # A text's own box is a little larger than what is inked of it.
        for blank in (places[0], size - 1 - places[-1]):
            assert MARGIN - 3 <= blank <= 2 * MARGIN
    width, height = (
        float(value.rstrip("pt"))
        for value in (tmp_path / "a figure.svg")
        .read_text()
        .split('viewBox="0 0 ')[1]
        .split('"')[0]
        .split()
    )
    assert (width / 72, height / 72) == pytest.approx(np.array(pixels.shape[::-1]) / 150, abs=0.02)


@pytest.mark.parametrize("epochs", [[1], [1, 2], list(range(1, 31))])
def test_an_axis_of_epochs_has_whole_numbers(epochs):
    axes = Figure().subplots()
    draw_measure(axes, [history(epochs)], "validation_ua", 100)
    low, high = axes.get_xlim()
    ticks = [tick for tick in axes.get_xticks() if low <= tick <= high]
    assert ticks
    assert all(float(tick).is_integer() for tick in ticks)
