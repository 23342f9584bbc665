"""Scores by domain: the report's own table, and columns of the papers' tables."""

import csv
import shutil

import pytest
from pydantic import ValidationError

from emonas.errors import EmonasError
from emonas.report.differences import wanted_differences
from emonas.report.gather import gather
from emonas.report.job import write_report
from emonas.report.names import report_tables
from emonas.report.options import ColumnOptions, FigureOptions, RowOptions, TableOptions
from emonas.report.own import OwnFigures
from emonas.report.papers import NOT_RUN, paper_summary
from emonas.report.summary import INTERVAL_NOTE, PAIRED_NOTE
from emonas.report.tables import markdown
from emonas.storage.differences import (
    Apart,
    Between,
    Differences,
    Scores,
    write_differences,
)
from emonas.storage.metrics import Figure, FoldScore, OfDomain, read_metrics, write_metrics

SHARES = {"de": 0.9, "en": 1.05}
SYSTEMS = ("cnn-c6l3", "rnn", "emotionnas", "linear")


def of_domain(metrics, domain):
    """A domain's figures; English has an interval, and German three classes."""
    interval = (0.5, 0.7) if domain == "en" else None

    def scaled(figure):
        return Figure(
            mean=figure.mean * SHARES[domain],
            std=0.02,
            folds_mean=0.6,
            folds_std=0.03,
            interval=interval,
        )

    return OfDomain(
        ua=scaled(metrics.ua),
        wa=scaled(metrics.wa),
        folds=[FoldScore(fold="s01", seed=0, ua=0.51, wa=0.52, utterances=7, classes=3)],
        confusion=[[4, 1], [2, 8]] if domain == "de" else [[5, 0, 0], [1, 4, 0], [0, 0, 10]],
        labels=["anger", "sadness"] if domain == "de" else ["anger", "calm", "sadness"],
    )


@pytest.fixture(scope="module")
def run(plan, results, tmp_path_factory):
    """The plan and results with domains in both protocols; the other one is synthetic and random,
    and what it reaches is better by a fifth.
    """
    folder = tmp_path_factory.mktemp("domains") / "results"
    shutil.copytree(results, folder, ignore=shutil.ignore_patterns("report"))
    for protocol in ("emodb-loso", "toy"):
        for system in SYSTEMS:
            path = folder / f"evaluate/{protocol}/{system}/metrics.json"
            metrics = read_metrics(path)
            if protocol == "toy":
                better = {"ua": metrics.ua.model_copy(update={"mean": metrics.ua.mean * 1.2})}
                metrics = metrics.model_copy(update=better)
            domains = {domain: of_domain(metrics, domain) for domain in SHARES}
            write_metrics(path, metrics.model_copy(update={"domains": domains}))
    protocols = {
        name: card.model_copy(update={"domain": "language"})
        for name, card in plan.protocols.items()
    }
    return plan.model_copy(update={"protocols": protocols}), folder


@pytest.fixture(scope="module")
def report(run):
    plan, folder = run
    output = folder / "report"
    write_report(plan, folder, output)
    return output


def rows(path):
    with path.open(encoding="utf-8", newline="") as file:
        return {row["system"]: row for row in csv.DictReader(file)}


def test_every_system_stands_there_by_domain_with_chance(run, report):
    plan, folder = run
    for name in report_tables(plan):
        assert (report / name).stat().st_size > 0
    found = rows(report / "tables/toy-domains.csv")
    for system in SYSTEMS:
        domains = read_metrics(folder / f"evaluate/toy/{system}/metrics.json").domains
        for domain, within in domains.items():
            assert float(found[system][f"{domain}_ua"]) == within.ua.mean
            assert float(found[system][f"{domain}_wa_std"]) == within.wa.std
        assert float(found[system]["en_ua_low"]) == 0.5
        assert "de_ua_low" not in found[system]
    assert float(found["chance"]["de_ua"]) == 1 / 2
    assert float(found["chance"]["de_wa"]) == 10 / 15
    assert float(found["chance"]["en_ua"]) == pytest.approx(1 / 3)


def test_the_page_has_a_section_by_language_and_marks_what_is_synthetic(report):
    html = (report / "index.html").read_text(encoding="utf-8")
    for protocol in ("toy", "emodb-loso"):
        assert f'<h4 id="domains-{protocol}">By language, under {protocol}' in html
        assert f'<a href="#domains-{protocol}">By language, under {protocol}</a>' in html
        assert f"tables/{protocol}-domains.csv" in html
        text = (report / f"tables/{protocol}-domains.md").read_text(encoding="utf-8")
        assert ("speech is synthetic" in text) == (protocol == "toy")
        assert "The 95% interval says" in text
    assert '<th scope="col" class="number">en, UA (%)</th>' in html
    after = html.split('<h4 id="domains-toy">')[1].split("</h4>")[0]
    assert '<span class="tag">synthetic speech</span>' in after
    assert "<dt>Domains</dt><dd>by language (de and en)</dd>" in html


def test_every_fold_stands_there_by_domain(report):
    with (report / "tables/toy-folds.csv").open(encoding="utf-8", newline="") as file:
        found = [row for row in csv.DictReader(file) if row["system"] == "rnn"]
    german = [row for row in found if row["tested"] == "test part, de"]
    assert [(row["fold"], row["utterances"]) for row in german] == [("s01", "7")]
    assert sum(row["tested"] == "test part" for row in found) == 6


def test_a_protocol_without_domains_has_no_such_table(plan, results, tmp_path):
    write_report(plan, results, tmp_path / "report")
    assert not list((tmp_path / "report/tables").glob("*-domains.*"))
    html = (tmp_path / "report/index.html").read_text(encoding="utf-8")
    assert "By language" not in html
    assert "<dt>Domains</dt>" not in html


def table(run, columns, **row):
    plan, folder = run
    options = TableOptions(columns=columns, rows={"ours": RowOptions(system="rnn", **row)})
    return paper_summary(OwnFigures(plan, gather(plan, folder), {}), "t", options)


def test_a_column_shows_one_domain_with_its_interval(run):
    columns = {
        "English": {"protocol": "emodb-loso", "domain": "en"},
        "German": {"protocol": "emodb-loso", "domain": "de", "metric": "wa"},
    }
    made = table(run, columns, published={"English": 0.65})
    (row,) = made.rows
    assert row["English_own"] == pytest.approx(0.662 * 1.05)
    assert row["German_own"] == pytest.approx((0.662 + 0.031) * 0.9)
    assert row["English_difference"] == pytest.approx(0.662 * 1.05 - 0.65)
    text = markdown(made)
    assert (
        "| ours | rnn | 65.0 | 69.5 ± 2.0 \\[50.0, 70.0\\] | +4.5 | inside | 62.4 ± 2.0 |" in text
    )
    assert "- English: UA of en under emodb-loso." in text
    assert "- German: WA of de under emodb-loso." in text


def test_a_column_shows_what_one_protocol_adds_to_another(run):
    columns = {
        "ua": {"protocol": "toy", "less": "emodb-loso"},
        "less": {"protocol": "emodb-loso", "less": "toy", "domain": "en"},
        "wa": {"protocol": "toy", "less": "emodb-loso", "metric": "wa"},
    }
    made = table(run, columns)
    (row,) = made.rows
    assert row["ua_own"] == pytest.approx(0.2 * 0.662)
    assert row["less_own"] == pytest.approx(-0.2 * 0.662 * 1.05)
    text = markdown(made)
    assert "| Row | Our system | UA (points) | less (points) | WA (points) |" in text
    assert "| ours | rnn | +13.2 | −13.9 | 0.0 |" in text
    assert "- ua: UA under toy less that under emodb-loso, in points." in text
    assert "- less: UA of en under emodb-loso less that under toy, in points." in text
    # Where speakers are not known there is no interval; what marks either figure stands there.
    assert "95% interval" not in text
    assert "Own figures under toy: The speech is synthetic" in text
    assert [key for column in made.columns for key in column.keys][-3:] == [
        "ua_own",
        "less_own",
        "wa_own",
    ]


def test_a_difference_has_the_interval_that_was_drawn_for_it(run):
    """Of the whole and of a domain, and not the one over folds."""
    plan, folder = run
    columns = {
        "whole": {"protocol": "toy", "less": "emodb-loso", "metric": "wa"},
        "English": {"protocol": "toy", "less": "emodb-loso", "domain": "en"},
        "UA": {"protocol": "toy"},
    }
    options = TableOptions(columns=columns, rows={"ours": RowOptions(system="rnn")})
    asked = plan.model_copy(update={"tables": {"t": options}})
    assert wanted_differences(asked) == {"toy": {"emodb-loso": ["rnn"]}}
    none = Between(mean=0.0, folds_mean=0.0)
    whole = Between(mean=0.0, folds_mean=0.0, interval=(-0.02, 0.03), folds_interval=(0.5, 0.6))
    english = Between(mean=0.1, folds_mean=0.1, interval=(0.04, 0.21), folds_interval=(0.5, 0.6))
    apart = Apart(
        system="rnn",
        less="emodb-loso",
        ua=none,
        wa=whole,
        domains={"en": Scores(ua=english, wa=none)},
    )
    write_differences(
        folder / "evaluate/toy/differences.json", Differences(protocol="toy", systems=[apart])
    )
    made = paper_summary(OwnFigures(asked, gather(asked, folder), {}), "t", options)
    cells = made.shown()[0]
    assert cells[2] == "0.0 [−2.0, +3.0]"
    assert cells[3].endswith(" [+4.0, +21.0]")
    assert (made.rows[0]["English_own_low"], made.rows[0]["English_own_high"]) == (0.04, 0.21)
    assert PAIRED_NOTE in made.notes
    # The column without a difference has no interval in these results.
    assert INTERVAL_NOTE not in made.notes


def test_the_first_protocol_of_a_difference_may_be_the_row_s_or_the_only_one(run):
    made = table(run, {"more": {"less": "emodb-loso"}}, protocol="toy")
    assert made.rows[0]["more_own"] == pytest.approx(0.2 * 0.662)
    assert made.rows[0]["protocol"] == "toy"
    assert "- more: UA less that under emodb-loso, in points." in markdown(made)


def test_a_difference_with_what_was_not_run_is_not_run(run):
    for first, second in (("iem", "toy"), ("toy", "iem")):
        made = table(run, {"more": {"protocol": first, "less": second}})
        assert made.rows[0]["more_own"] == NOT_RUN
        assert "ours: not run under iem: corpora.iemocap has no root" in markdown(made)


def test_a_domain_that_is_not_there_is_told_with_those_that_are(run, plan, results):
    with pytest.raises(EmonasError) as error:
        table(run, {"French": {"protocol": "toy", "domain": "fr"}})
    assert str(error.value) == (
        "tables.t.rows.ours: French shows fr under toy, whose domains are de and en; name one of "
        "these"
    )
    with pytest.raises(EmonasError, match="whose domains are none"):
        table((plan, results), {"French": {"protocol": "toy", "domain": "fr"}})


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"domain": "de", "transfer": "toy"}, "domain and transfer do not go together"),
        ({"less": "toy", "transfer": "toy"}, "less and transfer do not go together"),
        ({"domain": "de", "metric": "parameters"}, "domain goes with ua and wa, not with param"),
        ({"less": "toy", "metric": "parameters"}, "less goes with ua and wa, not with parameters"),
        ({"less": "toy", "metric": "wer", "corpus": "c"}, "less goes with ua and wa, not with wer"),
    ],
)
def test_what_does_not_go_together_is_refused(given, sentence):
    with pytest.raises(ValidationError, match=sentence):
        ColumnOptions(**given)


def test_a_difference_has_no_published_figure_and_no_line():
    with pytest.raises(ValidationError, match=r"rows\.r\.published\.more: the column has `less`"):
        TableOptions(columns={"more": {"less": "b"}}, rows={"r": {"published": {"more": 0.1}}})
    with pytest.raises(ValidationError, match=r"lines\.more\.less: a figure draws no differences"):
        FigureOptions(lines={"more": {"less": "b"}}, panels={"P": {"points": {1: "s"}}})
