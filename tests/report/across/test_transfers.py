"""What the report says of models that were tested on another corpus."""

import csv
import json
import shutil

import pandas as pd
import pytest

from emonas.errors import EmonasError
from emonas.report.gather import gather
from emonas.report.job import write_report
from emonas.report.labels import map_sentence, map_table
from emonas.report.names import report_figures, report_tables
from emonas.report.summary import INTERVAL_NOTE, SYNTHETIC_WARNING, systems_summary
from emonas.report.tables import show
from emonas.report.transfers import transfer_summary
from emonas.storage.metrics import read_metrics


@pytest.fixture(scope="module")
def report(cross_plan, cross_results, tmp_path_factory):
    output = tmp_path_factory.mktemp("written") / "report"
    write_report(cross_plan, cross_results, output)
    return output


def test_a_row_holds_what_was_reached_within_and_across(cross_results, report):
    path = report / "tables/iem-transfer-msp.csv"
    with path.open(encoding="utf-8", newline="") as file:
        rows = {row["system"]: row for row in csv.DictReader(file)}
    for system in ("fb", "e6"):
        metrics = read_metrics(cross_results / f"evaluate/iem/{system}/metrics.json")
        there = metrics.transfer["msp"]
        row = {key: value for key, value in rows[system].items() if key != "system"}
        assert {key: float(value) for key, value in row.items()} == {
            "ua": metrics.ua.mean,
            "ua_std": metrics.ua.std,
            "ua_low": metrics.ua.interval[0],
            "ua_high": metrics.ua.interval[1],
            "wa": metrics.wa.mean,
            "wa_std": metrics.wa.std,
            "wa_low": metrics.wa.interval[0],
            "wa_high": metrics.wa.interval[1],
            "there_ua": there.ua.mean,
            "there_ua_std": there.ua.folds_std,
            "there_ua_low": there.ua.interval[0],
            "there_ua_high": there.ua.interval[1],
            "there_wa": there.wa.mean,
            "there_wa_std": there.wa.folds_std,
            "there_wa_low": there.wa.interval[0],
            "there_wa_high": there.wa.interval[1],
        }
    chance = rows["chance"]
    assert float(chance["ua"]) == pytest.approx(1 / 3)
    # Two of the three classes are there, and thirty of forty utterances are of one.
    assert (float(chance["there_ua"]), float(chance["there_wa"])) == (0.5, 0.75)


def test_a_table_says_from_where_to_where(own):
    table = transfer_summary(own.gathered["iem"], "msp")
    assert table.caption == "From iem (iemocap) to msp"
    shown = dict(zip([column.title for column in table.columns], table.shown()[2], strict=False))
    assert shown["UA within (%)"] == "71.3 ± 1.0"
    assert shown["UA on msp (%)"] == "61.3 ± 4.4"
    assert [show(table.rows[2], column) for column in table.columns if column.kind == "interval"][
        :3
    ] == ["[68.3, 73.3]", "[69.3, 74.3]", "[58.3, 63.3]"]
    assert INTERVAL_NOTE in table.notes


def test_the_map_is_said_and_printed(own, report):
    audit = own.gathered["iem"].audit.transfer["msp"]
    sentence = (
        "Of msp, 90 utterances of 12 speakers are tested: angry as angry; excited and happy as "
        "happy. Counted as no class: disgust (11) and fear (4)."
    )
    assert map_sentence(audit, "msp") == sentence
    assert map_table(audit, "msp").shown() == [
        ["angry", "angry", "20"],
        ["excited and happy", "happy", "70"],
        ["disgust", "no class", "11"],
        ["fear", "no class", "4"],
    ]
    assert sentence in (report / "tables/iem-transfer-msp.md").read_text(encoding="utf-8")
    assert sentence in (report / "index.html").read_text(encoding="utf-8")


def test_synthetic_speech_on_either_side_is_marked(own):
    results = own.gathered["iem"]
    assert SYNTHETIC_WARNING in transfer_summary(results, "toy").notes
    assert SYNTHETIC_WARNING not in transfer_summary(results, "msp").notes
    assert SYNTHETIC_WARNING not in systems_summary(results).notes


def test_weights_that_heard_the_other_corpus_inflate_the_scores_there_alone(own, report):
    warning = (
        "wenet was pretrained on msp: scores on msp are inflated, those of e2, e6, e12 and at."
    )
    results = own.gathered["iem"]
    assert warning in transfer_summary(results, "msp").notes
    assert not any("wenet" in note for note in transfer_summary(results, "toy").notes)
    assert not any("wenet" in note for note in systems_summary(results).notes)
    page = (report / "index.html").read_text(encoding="utf-8")
    start, _, end = warning.partition(":")
    assert page.count(f"<strong>{start}:</strong>{end}") == 2
    assert "pretrained on msp: its scores on msp are inflated." in page


def test_intervals_stand_in_the_table_of_systems_where_there_are(own):
    table = systems_summary(own.gathered["iem"])
    assert [column.title for column in table.columns][:4] == [
        "System",
        "UA (%)",
        "95% interval",
        "WA (%)",
    ]
    assert table.shown()[2][2] == "[68.3, 73.3]"
    assert INTERVAL_NOTE in table.notes
    without = systems_summary(own.gathered["toy"])
    assert "95% interval" not in [column.title for column in without.columns]
    assert INTERVAL_NOTE not in without.notes


def test_the_page_has_every_piece(report):
    page = (report / "index.html").read_text(encoding="utf-8")
    for piece in (
        'id="transfer-iem-msp"',
        'id="transfer-iem-toy"',
        'href="#transfer-msp-iemocap"',
        'href="tables/msp-transfer-iemocap.csv"',
        '<th scope="col">Emotion in msp</th>',
        "<dt>Also tested on</dt><dd>msp and toy</dd>",
        '<td data-title="What">test on another corpus</td>',
        "corpora.iemocap has no root here",
        '<a href="#papers">Tables and figures of the papers</a>',
        'id="table-t2"',
        'id="figure-figure2"',
        'href="figures/figure2.svg"',
        'href="figures/figure2.png"',
        "71.3 ± 1.0 [68.3, 73.3]",
    ):
        assert piece in page, piece


def test_all_that_is_declared_is_written(cross_plan, report):
    declared = [*report_figures(cross_plan), *report_tables(cross_plan)]
    assert {"figures/figure2.svg", "tables/figure2.csv", "tables/iem-transfer-toy.tex"} <= {
        *declared
    }
    assert len(declared) == len(set(declared))
    assert all((report / name).exists() for name in declared)


def test_the_same_results_give_the_same_bytes(cross_plan, cross_results, report, tmp_path):
    write_report(cross_plan, cross_results, tmp_path / "again")
    for path in report.rglob("*"):
        if path.is_file():
            again = tmp_path / "again" / path.relative_to(report)
            assert again.read_bytes() == path.read_bytes(), path.name


@pytest.mark.parametrize("file", ["protocols/iem/audit.json", "evaluate/iem/e6/metrics.json"])
def test_results_from_before_the_transfer_are_named(cross_plan, cross_results, tmp_path, file):
    copy = tmp_path / "results"
    shutil.copytree(cross_results, copy)
    values = json.loads((copy / file).read_text(encoding="utf-8"))
    (copy / file).write_text(json.dumps(values | {"transfer": {}}), encoding="utf-8")
    with pytest.raises(EmonasError, match="says nothing of transfer to msp"):
        gather(cross_plan, copy)


def test_every_fold_has_a_row_for_each_place_that_it_was_tested_on(own, report):
    metrics = own.gathered["iem"].systems["e6"].metrics
    table = pd.read_csv(report / "tables/iem-folds.csv")
    rows = table[table["system"] == "e6"]
    wanted = [("test part", fold.fold, fold.seed, fold.ua) for fold in metrics.folds]
    for corpus, there in metrics.transfer.items():
        wanted += [(corpus, fold.fold, fold.seed, fold.ua) for fold in there.folds]
    assert len(rows) == len(wanted) > len(metrics.folds)
    for row, (tested, fold, seed, ua) in zip(rows.itertuples(), wanted, strict=True):
        assert (row.tested, row.fold, int(row.seed)) == (tested, fold, seed)
        assert row.ua == pytest.approx(ua)
