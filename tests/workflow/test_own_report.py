"""Snakemake's own report: the figures and tables, where they belong, and captions that quote the
settings.
"""

import html
import json
import re
import zipfile
from contextlib import chdir
from pathlib import Path

import pytest

from emonas.report.names import captioned, report_figures, report_tables
from emonas.settings.cards import report_plan
from emonas.settings.load import load_settings
from emonas.settings.plan import Plan


@pytest.fixture(scope="module")
def plan(finished):
    with chdir(finished.folder):
        settings = load_settings(Path("tiny.yaml"))
        return report_plan(Plan(settings), "tiny.yaml", "snakemake")


@pytest.fixture(scope="module")
def made(finished, tmp_path_factory):
    """Snakemake's own report of the tiny run, made without a connection."""
    copy = finished.copy(tmp_path_factory.mktemp("own report") / "my run")
    copy.snakemake("--report", "report.zip")
    with zipfile.ZipFile(copy.folder / "report.zip") as archive:
        (page,) = [name for name in archive.namelist() if name.endswith("report.html")]
        return archive.read(page).decode("utf-8")


def read(page, name):
    """A value of the page's JavaScript."""
    _, _, after = page.partition(f"var {name} = {{")
    return json.JSONDecoder().raw_decode("{" + after)[0]


def text_of(caption):
    """A caption's HTML as text."""
    return html.unescape(re.sub(r"<[^>]*>", "", caption)).replace("\u2019", "'")


def test_it_has_every_figure_and_table_where_it_belongs(plan, made):
    results, categories = read(made, "results"), read(made, "categories")
    wanted = {f"results/report/{name}" for name in (*report_figures(plan), *report_tables(plan))}
    assert wanted <= set(results)
    assert {"Report", "Papers", "Protocol tiny", "Protocol once"} <= set(categories)
    own = {Path(name).name for name in categories["Protocol tiny"]["cnn"]}
    assert own >= {f"group2-{what}.svg" for what in ("cells", "alphas")}
    assert "emotionnas" not in " ".join(own)
    assert own >= {f"tiny-cnn-{what}.svg" for what in ("cells", "confusion", "curves", "alphas")}
    assert "results/report/tables/tiny-systems.csv" in categories["Protocol tiny"]["All systems"]
    assert results["results/report/figures/tiny-cnn-confusion.svg"]["labels"] == {
        "what": "confusion",
        "as": "svg",
    }


def test_captions_quote_the_settings(plan, made):
    results = read(made, "results")
    for name in captioned(plan):
        caption = text_of(results[f"results/report/{name}"]["caption"])
        assert "Settings: tiny.yaml." in caption, name
        assert "problematic" not in caption, name
    caption = text_of(results["results/report/figures/tiny-cnn-curves.svg"]["caption"])
    for piece in (
        "Validation loss and UA by epoch",
        "Protocol tiny: corpora: spoken (synthetic); tested in turn: groups",
        "2 folds (group1, group2)",
        "System cnn: cells on image, searched by darts; seed 0;",
        "search: method: darts",
        "epochs: 6, batch: 8",
        "The speech is synthetic",
    ):
        assert piece in caption, caption
    table = text_of(results["results/report/tables/streams.csv"]["caption"])
    assert "The two streams." in table
    assert "System emotionnas: fusion of cnn and rnn by ism; seed 0" in table
    other = results["results/report/folds/tiny/cnn/group2-cells.svg"]
    assert other["labels"] == {"what": "cells of group2", "as": "svg"}
    caption = text_of(other["caption"])
    assert "Fold group2, of the first seed. What its search found." in " ".join(caption.split())
    assert "Settings: tiny.yaml." in caption
    assert "search: method: darts" in caption
    assert "group1" not in caption.replace("2 folds (group1, group2)", "")
    assert "seeds 0 and 1" in text_of(results["results/report/tables/tiny-systems.csv"]["caption"])
