"""Every table and figure of the page has its numbers in a CSV, which are those that it shows."""

import csv
import re
from itertools import pairwise
from urllib.parse import unquote

import pytest
from pages import Pieces, differences

from emonas.report.figures.style import compact
from emonas.report.gather import gather
from emonas.report.names import report_captions, report_numbers
from emonas.report.numbers import genotype_numbers
from emonas.report.plan import ReportPlan
from emonas.storage.metrics import read_metrics


@pytest.fixture(scope="module")
def pieces(report_folder):
    return Pieces(report_folder / "index.html").found


def rows_of(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_every_table_shows_the_rows_of_its_csv(pieces, report_folder):
    tables = [piece for piece in pieces if piece.kind == "table"]
    assert len(tables) > 20
    for table in tables:
        assert table.numbers, table.rows[:2]
        assert differences(table, report_folder / table.numbers) == [], table.numbers


def test_a_number_that_differs_is_seen(pieces, report_folder, tmp_path):
    """What the test above holds on to: a changed number, a changed name, and a row too many."""
    table = next(piece for piece in pieces if piece.numbers == "tables/toy-systems.csv")
    path = report_folder / table.numbers
    lines = path.read_text(encoding="utf-8").splitlines()
    value = rows_of(path)[0]["ua"]
    changes = [
        [lines[0], lines[1].replace(value, str(float(value) + 0.002)), *lines[2:]],
        [*lines[:2], lines[2].replace("rnn", "another"), *lines[3:]],
        [*lines, lines[-1]],
    ]
    for change in changes:
        assert change != lines
        other = tmp_path / "other.csv"
        other.write_text("\n".join(change) + "\n", encoding="utf-8")
        assert len(differences(table, other)) == 1


def test_every_figure_has_its_numbers(pieces, report_folder):
    figures = [piece for piece in pieces if piece.kind == "figure"]
    assert len(figures) > 15
    for figure in figures:
        assert rows_of(report_folder / figure.numbers), figure.links


def test_every_drawing_that_is_linked_has_its_numbers_linked_too(report_folder):
    page = (report_folder / "index.html").read_text(encoding="utf-8")
    links = [unquote(link) for link in re.findall(r'href="([^"#][^"]*)"', page)]
    drawn = [number for number, link in enumerate(links) if link.endswith(".svg")]
    stems = {links[number].removesuffix(".svg") for number in drawn}
    assert {
        f"folds/toy/cnn-c6l3/{fold}-{kind}"
        for kind in ("cells", "alphas")
        for fold in ("s02", "s03")
    } <= stems
    drawings = [path.relative_to(report_folder) for path in report_folder.rglob("*.svg")]
    assert stems == {path.with_suffix("").as_posix() for path in drawings}
    for first, following in pairwise([*drawn, len(links)]):
        numbers = [link for link in links[first:following] if link.endswith(".csv")]
        own = f"/{links[first].partition('/')[2].removesuffix('.svg')}.csv"
        # Those of a paper's figure are in the table below it.
        assert numbers, links[first]
        assert numbers[0].endswith(own), links[first]
        assert rows_of(report_folder / numbers[0])


def test_what_figures_show_is_what_was_measured(plan: ReportPlan, results, report_folder):
    folder = report_folder / "figures"
    metrics = read_metrics(results / "evaluate/emodb-loso/rnn/metrics.json")
    shown = [row for row in rows_of(folder / "emodb-loso-systems.csv") if row["system"] == "rnn"]
    assert [float(row["ua"]) for row in shown if row["what"] == "mean"] == [metrics.ua.mean]
    assert [(row["fold"], int(row["seed"]), float(row["ua"])) for row in shown[1:]] == [
        (fold.fold, fold.seed, fold.ua) for fold in metrics.folds
    ]
    confusion = rows_of(folder / "emodb-loso-rnn-confusion.csv")
    counts = {(row["true"], row["predicted"]): int(row["utterances"]) for row in confusion}
    for label, row in zip(metrics.labels, metrics.confusion, strict=True):
        assert [counts[label, other] for other in metrics.labels] == row
    curves = rows_of(folder / "emodb-loso-cnn-c6l3-curves.csv")
    # Two seeds of three folds: 20 epochs of search and 30 of training.
    assert [sum(row["stage"] == stage for row in curves) for stage in ("search", "training")] == [
        6 * 20,
        6 * 30,
    ]
    history = rows_of(results / "train/emodb-loso/cnn-c6l3/seed1/s02/history.csv")
    own = [
        row
        for row in curves
        if (row["stage"], row["seed"], row["fold"]) == ("training", "1", "s02")
    ]
    assert [float(row["validation_loss"]) for row in own] == [
        float(row["validation_loss"]) for row in history
    ]
    weights = rows_of(folder / "toy-cnn-c6l3-alphas.csv")
    assert len(weights) == 2 * 2 * 20
    first = [float(row["weight"]) for row in weights if row["epoch"] == "20"]
    assert sum(first[:2]) == pytest.approx(1)


def test_the_overview_names_the_highest_and_what_the_test_in_pairs_says(report_folder):
    rows = {row["protocol"]: row for row in rows_of(report_folder / "tables/overview.csv")}
    row = rows["emodb-loso"]
    assert (row["best"], float(row["ua"]), float(row["chance"])) == ("emotionnas", 0.691, 0.25)
    assert row["against"] == "not compared with cnn-c6l3, rnn and linear"
    assert row["mind"] == "wav2vec-large heard this speech before"
    assert rows["toy"]["mind"] == "synthetic speech, speaker-dependent"
    shown = rows_of(report_folder / "figures/overview.csv")
    best = [row["system"] for row in shown if row["what"] == "highest"]
    assert best == ["emotionnas", "emotionnas"]


def test_the_sections_come_in_the_order_of_a_reader(report_folder):
    page = (report_folder / "index.html").read_text(encoding="utf-8")
    anchors = ("overview", "papers", "systems", "system-toy-rnn", "folds", "left-out", "again")
    places = [page.index(f'id="{anchor}"') for anchor in anchors]
    assert places == sorted(places)


def test_genotypes_as_rows(plan, results):
    systems = gather(plan, results)["toy"].systems
    cells = genotype_numbers(systems["cnn-c6l3"].genotypes[0].genotype)
    assert len(cells) == 2 * 8
    first = {"cell": "normal", "node": 0, "source": "c_{k-2}", "operation": "sep_conv_3x3"}
    assert cells[0] == first
    assert cells[-1]["source"] == "node 2"
    recipe = genotype_numbers(systems["rnn"].genotypes[0].genotype)
    assert {"node": "gate", "operation": "activation_sigm", "input": "a"} in recipe
    assert sum(row["node"] == "h_new_0" for row in recipe) == 3


def test_what_is_declared_is_written_and_quotes_the_settings(plan, report_folder):
    for name in [*report_numbers(plan), *report_captions(plan)]:
        assert (report_folder / name).stat().st_size > 0, name
    said = (report_folder / "captions/figures/emodb-loso-emotionnas-confusion.rst").read_text(
        encoding="utf-8"
    )
    for piece in (
        "Confusion matrix",
        "Protocol emodb-loso",
        "tested in turn",
        "limit\\: 9",
        "3 folds (s01, s02, s03)",
        "System emotionnas\\: fusion of cnn-c6l3 and rnn by ism; seeds 0 and 1; method\\: ism",
    ):
        assert piece in said, said
    table = (report_folder / "captions/tables/table4.rst").read_text(encoding="utf-8")
    assert table.startswith("Importance of each branch (EmotionNAS v2, table 4).")
    assert "Protocol toy" in table
    assert "System cnn-c6l3" in table
    assert "System linear" not in table
    assert "speech is synthetic" in table


def test_drawings_keep_their_shapes_when_they_are_made_short():
    """Numbers from 1 on have two decimals, scales below 1 all of theirs."""
    drawing = (
        '<g id="text_1"><g id="axes_1"><path d="M 1.23456 20.5\nL 0.015625 -7 "/></g>\n'
        '<use transform="translate(52.091234 0)"/><!-- a text --></g>'
    )
    assert compact(drawing) == (
        '<g><g id="axes_1"><path d="M 1.23 20.5 L 0.015625 -7 "/></g>'
        '<use x="52.09"/><!-- a text --></g>'
    )
