"""Papers' tables over several protocols, on other corpora, and of error rates."""

import csv

import pytest
from pydantic import ValidationError

from emonas.report.options import RowOptions, TableOptions
from emonas.report.papers import paper_summary
from emonas.report.summary import INTERVAL_NOTE, SYNTHETIC_WARNING
from emonas.report.tables import show, write_tables

SCORES = ("IEM", "MSP", "MSP2IEM", "IEM2MSP")


@pytest.fixture(scope="module")
def table(own):
    return paper_summary(own, "t2", own.plan.tables["t2"])


@pytest.fixture(scope="module")
def rates(own):
    return paper_summary(own, "t1", own.plan.tables["t1"])


def test_each_column_has_the_figure_of_its_protocol_and_corpus(own, table):
    row = table.rows[0]
    iem, msp = (own.gathered[name].systems["e2"].metrics for name in ("iem", "msp"))
    expected = [iem.ua, msp.ua, msp.transfer["iemocap"].ua, iem.transfer["msp"].ua]
    assert [row[f"{name}_own"] for name in SCORES] == [figure.mean for figure in expected]
    assert [(row[f"{name}_own_low"], row[f"{name}_own_high"]) for name in SCORES] == [
        figure.interval for figure in expected
    ]
    assert row["IEM_difference"] == iem.ua.mean - 0.662
    assert row["MSP2IEM_difference"] == msp.transfer["iemocap"].ua.mean - 0.48
    assert "MSP_difference" not in row
    assert (row["weights_published"], row["weights_own"]) == (900_000, 750_000)


def test_own_figures_are_shown_with_their_intervals(table):
    shown = {column.key: show(table.rows[0], column) for column in table.columns}
    assert shown["IEM_published"] == "66.2"
    assert shown["IEM_own"] == "63.4 ± 1.0 [60.4, 65.4]"
    assert shown["IEM_difference"] == "−2.8"
    assert shown["weights_own"] == "0.75M"
    assert INTERVAL_NOTE in table.notes


def test_weights_inflate_where_the_tested_corpus_was_heard(table):
    warning = "wenet was pretrained on msp: scores {} are inflated, those of e2, e6{} and at."
    told = [note for note in table.notes if "pretrained" in note]
    # Nothing of the scores on iemocap, whose speech wenet has not heard.
    assert told == [
        f"Own figures under msp: {warning.format('here', '')}",
        f"Own figures of iem on msp: {warning.format('on msp', ', e12')}",
    ]


def test_columns_are_named_and_explained(table):
    titles = [column.title for column in table.columns]
    assert "Protocol" not in titles
    assert titles[:7] == [
        "Row",
        "Our system",
        "IEM (%), published",
        "IEM, own",
        "IEM, difference",
        "IEM, published is",
        "MSP (%), published",
    ]
    # No row has a published figure of it.
    assert "IEM2MSP (%)" in titles
    assert "IEM: UA under iem." in table.notes
    assert "MSP2IEM: UA of the models of msp on iemocap." in table.notes


def test_what_was_not_run_is_said_once_with_its_reason(table):
    row = table.rows[1]
    assert [row[f"{name}_own"] == "not run" for name in SCORES] == [False, True, True, False]
    assert "MSP_difference" not in row
    assert table.notes.count("E(12): not run under msp: no room for e12") == 1
    assert table.rows[2]["IEM_own"] is None


def test_rows_that_all_lack_one_thing_are_not_listed(own):
    rows = {f"E({block})": RowOptions(system="e12") for block in (2, 6, 12)}
    options = TableOptions(rows=rows | {"Feng": RowOptions()}, columns=["ua"], protocol="msp")
    notes = paper_summary(own, "t", options).notes
    assert "All rows: not run under msp: no room for e12" in notes


def test_the_csv_has_bounds(table, tmp_path):
    write_tables(tmp_path / "t2", table)
    with (tmp_path / "t2.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0])[:8] == [
        "row",
        "system",
        "IEM_published",
        "IEM_own",
        "IEM_own_std",
        "IEM_own_low",
        "IEM_own_high",
        "IEM_difference",
    ]
    assert float(rows[0]["IEM_own_low"]) == table.rows[0]["IEM_own_low"]
    assert "{[}60.4, 65.4]" in (tmp_path / "t2.tex").read_text(encoding="utf-8")


def test_a_list_of_metrics_is_columns_of_those_names(own):
    rows = {"block 6": RowOptions(system="e6", published={"wa": 0.7})}
    listed = TableOptions(rows=rows, columns=["ua", "wa"], protocol="iem")
    named = {"ua": {"metric": "ua"}, "wa": {"metric": "wa"}}
    assert listed == TableOptions(rows=rows, protocol="iem")
    assert listed == TableOptions(rows=rows, columns=named, protocol="iem")
    assert TableOptions.model_validate(listed.model_dump(mode="json")) == listed
    table = paper_summary(own, "t", listed)
    titles = [column.title for column in table.columns]
    assert titles[2:] == [
        "Protocol",
        "UA (%)",
        "WA (%), published",
        "WA, own",
        "WA, difference",
        "WA, published is",
    ]
    inside = table.rows[0]["wa_own_low"] <= 0.7 <= table.rows[0]["wa_own_high"]
    assert table.rows[0]["wa_within"] == ("inside" if inside else "outside")
    assert table.rows[0]["protocol"] == "iem"


def test_synthetic_speech_on_either_side_gets_no_difference(own):
    columns = {
        "within": {"protocol": "toy"},
        "across": {"protocol": "iem", "transfer": "toy"},
        "real": {"protocol": "iem"},
    }
    published = dict.fromkeys(columns, 0.5)
    rows = {"ours": RowOptions(system="e6", published=published)}
    table = paper_summary(own, "t", TableOptions(rows=rows, columns=columns))
    assert [table.rows[0][f"{name}_difference"] for name in columns][:2] == ["synthetic"] * 2
    assert table.rows[0]["real_difference"] == pytest.approx(0.213)
    assert f"Own figures under toy: {SYNTHETIC_WARNING}" in table.notes
    assert f"Own figures of iem on toy: {SYNTHETIC_WARNING}" in table.notes


def test_a_transfer_that_could_not_be_has_its_reason(own):
    columns = {"across": {"protocol": "toy", "transfer": "iemocap"}}
    options = TableOptions(rows={"ours": RowOptions(system="e6")}, columns=columns)
    table = paper_summary(own, "t", options)
    reason = "ours: models of toy not tested on iemocap: corpora.iemocap has no root here"
    assert table.rows[0]["across_own"] == "not run"
    assert reason in table.notes


def test_error_rates_stand_beside_published_ones(rates):
    row = rates.rows[0]
    assert [column.title for column in rates.columns][:2] == ["Row", "Our transcript"]
    assert (row["transcript"], row["iemocap WER_own"], row["iemocap CER_own"]) == (
        "heard",
        0.2575,
        0.2,
    )
    assert row["iemocap WER_difference"] == 0.2575 - 0.3188
    assert row["toy WER_difference"] == "synthetic"
    assert (row["msp CER_own"], row["msp CER_published"]) == ("not run", 0.2724)
    assert "Librispeech: msp not recognised: nobody wrote down what msp says" in rates.notes
    assert "iemocap WER: word error rate on iemocap." in rates.notes
    assert "toy is synthetic speech." in rates.notes


@pytest.mark.parametrize(
    ("columns", "published", "words"),
    [
        ({"a": {"metric": "wer"}}, {}, "metric: wer needs the key corpus"),
        ({"a": {"metric": "cer", "corpus": "c", "protocol": "p"}}, {}, "has no protocol"),
        ({"a": {"corpus": "c"}}, {}, "scores on another corpus are transfer"),
        ({"a": {"metric": "parameters", "transfer": "c"}}, {}, "leave transfer out"),
        (["wer"], {}, "needs the key corpus"),
        (["uaa"], {}, "'ua', 'wa', 'parameters'"),
        ({"a": {}}, {"a": 66.2}, r"rows\.r\.published\.a is a fraction from 0 to 1, not 66\.2"),
        ({"a": {"metric": "parameters"}}, {"a": 0.13}, "number of weights, not 0.13 millions"),
        ({}, {}, "at least 1"),
    ],
)
def test_columns_that_make_no_sense(columns, published, words):
    with pytest.raises(ValidationError, match=words):
        TableOptions(rows={"r": RowOptions(published=published)}, columns=columns)
