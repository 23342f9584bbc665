"""Searched connections: the drawing, the table, the curves, and what the page says."""

import csv
import re

import pandas as pd
import pytest

from emonas.report.connections import connections_table
from emonas.report.degenerate import degenerate_genotypes
from emonas.report.figures.cells import draw_genotype
from emonas.report.figures.curves import draw_curves
from emonas.report.gather import FoundGenotype, History
from emonas.report.job import write_report
from emonas.report.names import report_figures, report_tables
from emonas.storage.genotype import ConnectionsGenotype


def genotype(**domains):
    features = ("mfcc", "wav2vec")
    return ConnectionsGenotype(
        method="gates", beta=0.9, gamma=-0.1, delta=2.0, features=features, domains=domains
    )


SOME = ((True, False), (True, True))
OTHER = ((True, True), (False, True))


@pytest.fixture(scope="module")
def report(domain_plan, domain_results):
    output = domain_results / "report"
    write_report(domain_plan, domain_results, output)
    return output


def drawn(found, path):
    draw_genotype(found, path)
    assert path.with_suffix(".png").exists()
    return path.read_text(encoding="utf-8")


def test_a_line_an_open_connection_and_a_panel_a_domain(tmp_path):
    drawing = drawn(genotype(en=SOME, de=OTHER, fr=((False,) * 2,) * 2), tmp_path / "a b" / "g.svg")
    panels = drawing.split('<g id="axes_')[1:]
    # Boxes are closed paths, and a connection is the one that is not.
    lines = [
        len([d for d in re.findall(r'<path d="(M [^"]*C[^"]*)"', panel) if "z" not in d])
        for panel in panels
    ]
    assert lines == [3, 3, 0]
    said = re.findall(r"<!-- (.*?) -->", drawing)
    assert {"en", "de", "fr", "3 of 4 open", "0 of 4 open", "mfcc", "wav2vec"} <= set(said)


def test_drawings_differ_by_genotype_and_by_nothing_else(tmp_path):
    first, again, other = (
        drawn(genotype(en=table), tmp_path / f"{number}.svg")
        for number, table in enumerate((SOME, SOME, OTHER))
    )
    assert first == again
    assert first != other


def test_a_table_has_dots_where_connections_are_open(report, domain_results):
    table = connections_table(
        "c", [FoundGenotype(1, "a", genotype(en=SOME)), FoundGenotype(1, "b", genotype(en=OTHER))]
    )
    assert [
        [row["fold"], row["representation"], row["mfcc"], row["wav2vec"]] for row in table.rows
    ] == [
        ["a", "u1", "●", ""],
        ["a", "u2", "●", "●"],
        ["b", "u1", "●", "●"],
        ["b", "u2", "", "●"],
    ]
    path = report / "tables/langs-ours-connections.csv"
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    # Two seeds, two folds, three domains, three representations.
    assert len(rows) == 36
    assert {row["mfcc"] for row in rows if row["domain"] == "de"} == {""}
    assert [row["byol"] for row in rows[:3]] == ["●", "", "●"]
    assert r"$\bullet$" in path.with_suffix(".tex").read_text(encoding="utf-8")


def test_domains_of_which_a_search_decided_nothing():
    none, every = ((False,) * 2,) * 2, ((True,) * 2,) * 2
    found = [
        FoundGenotype(0, "a", genotype(en=SOME, de=none, fr=none)),
        FoundGenotype(0, "b", genotype(en=every, de=OTHER, fr=SOME)),
        FoundGenotype(1, "a", genotype(en=SOME, de=none, fr=none)),
        FoundGenotype(1, "b", genotype(en=SOME, de=OTHER, fr=SOME)),
    ]
    assert degenerate_genotypes(found) == [
        "Degenerate genotype (seed 0 fold a, seed 1 fold a): no connection is open for de and fr: "
        "the search let no feature through.",
        "Degenerate genotype (seed 0 fold b): every connection is open for en: the search left "
        "nothing out.",
    ]


def test_the_report_is_whole_and_says_so_on_the_page(report, domain_plan):
    for name in [*report_figures(domain_plan), *report_tables(domain_plan)]:
        assert (report / name).stat().st_size > 0, name
    page = (report / "index.html").read_text(encoding="utf-8")
    for text in (
        "Connections found for ours, seed 0, fold run0",
        "no connection is open for de: the search let no feature through",
        "every connection is open for fr: the search left nothing out",
        "<td>●</td>",
        "acted in 51.0% of the batches",
        "Silhouette of the classes: without",
        'href="tables/figure3.csv"',
        'href="tables/langs-ours-connections.csv"',
    ):
        assert text in page, text
    # The points are a file, and no table of the page.
    assert "test-de-00" not in page


def history(**columns):
    return History(0, "a", pd.DataFrame({"epoch": [1, 2, 3], **columns}))


def test_counts_by_epoch_have_panels_of_their_own(tmp_path):
    plain = history(validation_loss=[3.0, 2.0, 1.0], validation_ua=[0.2, 0.3, 0.4])
    search = history(open_en=[9.0, 7.0, 5.0], open_de=[9.0, 6.0, 2.0])
    share = history(contrastive_share=[0.1, 0.2, 0.3])
    panels = {}
    for name, found in {
        "plain": ([], [plain]),
        "search": ([search], [plain]),
        "both": ([search], [plain, share]),
    }.items():
        draw_curves(*found, tmp_path / f"{name}.svg")
        said = re.findall(r"<!-- (.*?) -->", (tmp_path / f"{name}.svg").read_text(encoding="utf-8"))
        panels[name] = set(said)
    assert panels["search"] - panels["plain"] >= {"connections expected open", "en", "de"}
    assert "contrastive batches (%)" in panels["both"]
    assert "contrastive batches (%)" not in panels["search"]
    assert "search" in panels["search"]
    assert "search" not in panels["plain"]
