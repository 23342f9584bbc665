"""Figures of gates: each feature alone beside its weight."""

import csv
import re
from dataclasses import replace

import pytest
from pydantic import ValidationError

from emonas.report.gates import gate_bars, gates_table
from emonas.report.gates_options import GatesOptions
from emonas.report.paper_figures import write_paper_figure
from emonas.storage.metrics import read_metrics

SKIPPED = "features.byol needs weights that are not here"


def figure(**changes):
    said = {"system": "ours", "protocol": "langs", "single": {"mfcc": "mfcc-alone"}}
    return GatesOptions(kind="gates", **{**said, **changes})


@pytest.fixture(scope="module")
def options(domain_own):
    return domain_own.plan.figures["figure4"]


@pytest.fixture(scope="module")
def bars(domain_own, options):
    return gate_bars(domain_own, options)


@pytest.fixture(scope="module")
def read(domain_results):
    return lambda protocol, system: read_metrics(
        domain_results / "evaluate" / protocol / system / "metrics.json"
    )


def test_bars_are_those_of_the_metrics(bars, read):
    assert bars.domains == ("en", "de", "fr")
    assert bars.features == ("mfcc", "wav2vec", "byol")
    ours = read("langs", "ours")
    for bar in bars.gates:
        assert bar.own.value == ours.domains[bar.domain].gates[bar.feature]
    for bar in bars.alone:
        system = f"{bar.feature}-alone"
        if bar.feature == "byol":
            protocol = "french" if bar.domain == "fr" else "langs"
            assert bar.own.missing == f"not run under {protocol}: {SKIPPED}"
            continue
        # French has a protocol of its own, whose UA is that of all its utterances.
        there = read("french", system) if bar.domain == "fr" else read("langs", system)
        reached = there.ua if bar.domain == "fr" else there.domains[bar.domain].ua
        assert (bar.own.value, bar.own.interval) == (reached.mean, reached.interval)
        assert bar.own.level == 0.25
        assert bar.own.protocol == there.protocol


def test_without_protocols_of_their_own_all_domains_are_those_of_one(domain_own, read):
    found = gate_bars(domain_own, figure())
    domains = read("langs", "mfcc-alone").domains
    assert [bar.own.value for bar in found.alone if bar.feature == "mfcc"] == [
        domains[name].ua.mean for name in ("en", "de", "fr")
    ]
    # The gates weigh features that have no system of their own.
    assert found.features == ("mfcc", "wav2vec", "byol")
    assert {bar.own.value for bar in found.alone if bar.feature != "mfcc"} == {None}
    assert not [bar for bar in found.alone if bar.own.missing]


def test_the_numbers_stand_in_files(domain_own, domain_results, options, bars, tmp_path):
    made = write_paper_figure(domain_own, "figure4", options, domain_results, tmp_path)
    with (tmp_path / "tables/figure4.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["domain"], row["feature"]) for row in rows] == [
        (bar.domain, bar.feature) for bar in bars.alone
    ]
    for row, alone, gate in zip(rows, bars.alone, bars.gates, strict=True):
        assert float(row["gate"]) == gate.own.value
        assert row["ua_published"] == row["gate_published"] == "not in our copy"
        if alone.own.missing:
            assert row["ua"] == "not run"
        else:
            assert (float(row["ua"]), float(row["ua_low"])) == (
                alone.own.value,
                alone.own.interval[0],
            )
    assert any(SKIPPED in note for note in made.table.notes)
    first = (tmp_path / "figures/figure4.svg").read_bytes()
    write_paper_figure(domain_own, "figure4", options, domain_results, tmp_path)
    assert (tmp_path / "figures/figure4.svg").read_bytes() == first
    said = set(re.findall(r"<!-- (.*?) -->", first.decode()))
    assert {"mfcc", "wav2vec", "byol", "en", "de", "fr", "95% interval", "chance"} <= said
    assert {"(a) each feature alone", "(b) gates of ours", "not run"} <= said
    assert "published" not in said


def test_published_bars(domain_own, domain_results, tmp_path):
    options = figure(published={"gates": {"de": {"mfcc": 0.25, "byol": "not in our copy"}}})
    table = gates_table(domain_own, "f", options, gate_bars(domain_own, options))
    keys = [column.key for column in table.columns]
    assert "gate_published" in keys
    assert "ua_published" not in keys
    printed = {(row["domain"], row["feature"]): row["gate_published"] for row in table.rows}
    assert printed["de", "mfcc"] == 0.25
    assert printed["de", "byol"] == "not in our copy"
    assert printed["en", "mfcc"] is None
    write_paper_figure(domain_own, "f", options, domain_results, tmp_path)
    assert "<!-- published -->" in (tmp_path / "figures/f.svg").read_text(encoding="utf-8")
    with pytest.raises(ValidationError, match=r"published\.ua\.de\.mfcc is a fraction"):
        figure(published={"ua": {"de": {"mfcc": 42.0}}})


def test_the_layers_of_a_feature_are_added_up(domain_own):
    results = domain_own.gathered["langs"]
    ours = results.systems["ours"]
    gates = {"mfcc.1": 0.25, "mfcc.2": 0.25, "wav2vec.24": 0.375, "byol": 0.125}
    domains = {
        name: found.model_copy(update={"gates": gates})
        for name, found in ours.metrics.domains.items()
    }
    metrics = ours.metrics.model_copy(update={"domains": domains})
    systems = {**results.systems, "ours": replace(ours, metrics=metrics)}
    own = replace(domain_own, gathered={"langs": replace(results, systems=systems)})
    bars = gate_bars(own, figure())
    weights = {bar.feature: bar.own.value for bar in bars.gates if bar.domain == "de"}
    # A layer stands for itself where no system hears its feature alone.
    assert weights == {"mfcc": 0.5, "wav2vec.24": 0.375, "byol": 0.125}


def test_nothing_run_and_no_gates(domain_own, domain_results, tmp_path):
    skipped = figure(system="byol-alone", single={"byol": "byol-alone"})
    (row,) = gates_table(domain_own, "f", skipped, gate_bars(domain_own, skipped)).rows
    assert (row["feature"], row["ua"], row["gate"]) == ("byol", "not run", "not run")
    write_paper_figure(domain_own, "f", skipped, domain_results, tmp_path)
    drawing = (tmp_path / "figures/f.svg").read_text(encoding="utf-8")
    assert "<!-- not run under langs: features.byol" in drawing
    without = gate_bars(domain_own, figure(system="base"))
    assert {bar.own.missing for bar in without.gates} == {"base has no gates under langs"}
    assert all(bar.own.value for bar in without.alone)
