"""Papers' figures: what is drawn, and the numbers beside it."""

import re

import pytest
from pydantic import ValidationError

from emonas.report.drawings import draw_paper_figure
from emonas.report.lines import figure_panels, figure_table
from emonas.report.options import FigureOptions


def figure(**changes):
    values = {"lines": {"IEM": {"protocol": "iem"}}, "panels": {"A": {"points": {2: "e2"}}}}
    return FigureOptions(**{**values, **changes})


@pytest.fixture(scope="module")
def panels(own):
    return figure_panels(own, "figure2", own.plan.figures["figure2"])


def test_points_are_those_of_the_metrics(own, panels):
    iem, msp = (own.gathered[name].systems for name in ("iem", "msp"))
    left, right = panels
    assert [panel.name for panel in panels] == ["Librispeech", "Gigaspeech"]
    within, across = left.lines
    assert {x: (point.value, point.interval) for x, point in within.points.items()} == {
        number: (iem[system].metrics.ua.mean, iem[system].metrics.ua.interval)
        for number, system in ((0, "fb"), (2, "e2"), (6, "e6"), (12, "e12"))
    }
    # e12 was not run under msp.
    assert {x: point.value for x, point in across.points.items()} == {
        number: msp[system].metrics.transfer["iemocap"].ua.mean
        for number, system in ((0, "fb"), (2, "e2"), (6, "e6"))
    }
    assert across.baselines["A + T"].value == msp["at"].metrics.transfer["iemocap"].ua.mean
    assert dict(within.published) == {2: 0.662, 8: 0.7}
    assert across.published == {}
    assert within.points[2].level == pytest.approx(1 / 3)
    assert across.points[2].level == 0.5
    assert sorted(right.lines[0].points) == [0, 6]


def test_the_numbers_stand_in_a_table(own):
    table = figure_table(own, "figure2", own.plan.figures["figure2"])
    assert table.caption == "UAR by block"
    assert [column.title for column in table.columns][:5] == [
        "Panel",
        "block",
        "Our system",
        "IEM (%), published",
        "IEM, own",
    ]
    assert [(row["panel"], row["point"], row["system"]) for row in table.rows] == [
        ("Librispeech", "0", "fb"),
        ("Librispeech", "2", "e2"),
        ("Librispeech", "6", "e6"),
        ("Librispeech", "8", None),
        ("Librispeech", "12", "e12"),
        ("Librispeech", "A + T", "at"),
        ("Gigaspeech", "0", "fb"),
        ("Gigaspeech", "6", "e12"),
    ]
    metrics = own.gathered["iem"].systems["e2"].metrics
    assert table.rows[1]["IEM_own"] == metrics.ua.mean
    assert table.rows[1]["IEM_difference"] == metrics.ua.mean - 0.662
    assert table.rows[2]["MSP2IEM_published"] == "not in our copy"
    missing = "Librispeech, block 12 and Gigaspeech, block 6: not run under msp: no room for e12"
    assert missing in table.notes
    assert "The figure was a picture." in table.notes


def test_what_the_paper_draws_and_does_not_print_is_told_as_lost(own):
    options = own.plan.figures["figure2"]
    lost = options.model_copy(update={"published": "not in our copy"})
    shown = {
        (row["panel"], row["point"]): (row["IEM_published"], row["MSP2IEM_published"])
        for row in figure_table(own, "figure2", lost).rows
    }
    assert shown["Librispeech", "2"] == (0.662, "not in our copy")
    everywhere = {place for place, values in shown.items() if values == ("not in our copy",) * 2}
    printed = {("Librispeech", "2"), ("Librispeech", "8")}
    assert everywhere == shown.keys() - printed
    assert figure_panels(own, "figure2", lost) == figure_panels(own, "figure2", options)
    before = figure_table(own, "figure2", options).rows[0]
    assert before["IEM_published"] is None


def test_a_figure_of_which_nothing_was_run_says_so(own, tmp_path):
    options = figure(
        lines={"MSP": {"protocol": "msp"}},
        panels={"A": {"points": {12: "e12"}, "published": {"MSP": {12: 0.575}}}},
    )
    panels = figure_panels(own, "f", options)
    assert panels[0].lines[0].points == {}
    # Letters are drawn as outlines: what is said is found by the comment that names them.
    path = tmp_path / "a folder" / "f.svg"
    draw_paper_figure(panels, options, path)
    drawing = path.read_text(encoding="utf-8")
    assert "<!-- nothing of this was run -->" in drawing
    assert "<!-- published -->" in drawing
    assert path.with_suffix(".png").exists()


def test_a_figure_says_what_its_signs_are(own, panels, tmp_path):
    draw_paper_figure(panels, own.plan.figures["figure2"], tmp_path / "f.svg")
    drawing = (tmp_path / "f.svg").read_text(encoding="utf-8")
    said = set(re.findall(r"<!-- (.*?) -->", drawing))
    assert {"IEM", "MSP2IEM", "A + T", "published", "95% interval", "chance", "block"} <= said
    assert "synthetic speech" not in said
    toy = figure(lines={"toy": {"protocol": "toy"}}, panels={"A": {"points": {6: "e6"}}})
    draw_paper_figure(figure_panels(own, "f", toy), toy, tmp_path / "toy.svg")
    assert "<!-- synthetic speech -->" in (tmp_path / "toy.svg").read_text(encoding="utf-8")


def test_a_figure_survives_the_way_into_a_job(own):
    options = own.plan.figures["figure2"]
    again = FigureOptions.model_validate(options.model_dump(mode="json"))
    assert again == options


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"lines": {"x": {"metric": "parameters"}}}, r"lines\.x\.metric is ua or wa in a figure"),
        ({"lines": {}}, "at least 1"),
        ({"panels": {}}, "at least 1"),
        ({"panels": {"A": {"points": {"two": "e2"}}}}, "valid number"),
        (
            {"panels": {"A": {"points": {2: "e2"}, "published": {"IEM": {2: 66.2}}}}},
            r"panels\.A\.published\.IEM\.2 is a fraction",
        ),
    ],
)
def test_figures_that_make_no_sense(changes, words):
    with pytest.raises(ValidationError, match=words):
        figure(**changes)
