"""Random search and hand-made cells beside a search, through Snakemake, and their ledger."""

import csv
from collections import defaultdict

import pytest

SYSTEMS = ("rnn", "rnn-random", "rnn-by-hand")


@pytest.fixture
def rivals(changed):
    """The finished run, with two rivals of the searched recurrent cells."""

    def add(settings):
        systems = settings["systems"]
        search = {"budget": "rnn", "epochs": 1}
        systems["rnn-random"] = {**systems["rnn"], "search": {"method": "random-search", **search}}
        systems["rnn-by-hand"] = {**systems["rnn"], "search": {"method": "hand-made", **search}}
        settings["runs"][1]["systems"] += SYSTEMS[1:]

    changed.rewrite(add)
    return changed


def read(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_ledger_says_what_each_computed_and_of_which_budget(rivals):
    rivals.snakemake("--cores", "2")
    results = rivals.folder / "results"
    ledger = {
        (row["system"], row["fold"]): row for row in read(results / "report/tables/tiny-ledger.csv")
    }
    computed = defaultdict(int)
    for name in SYSTEMS:
        for path in (results / f"search/tiny/{name}").glob("seed*/*/cost.csv"):
            computed[name, path.parent.name] += sum(int(row["macs"]) for row in read(path))
    for (name, fold), macs in list(computed.items()):
        computed[name, "all"] += macs
        assert int(ledger[name, fold]["search_macs"]) == macs > 0
    for name in SYSTEMS[1:]:
        for fold in {fold for _, fold in computed}:
            share = computed[name, fold] / computed["rnn", fold]
            assert 0.5 < share <= 1
            assert float(ledger[name, fold]["budget"]) == pytest.approx(share)
            assert ledger["rnn", fold]["budget"] == ""
    assert ledger["rnn-by-hand", "all"]["how"] == (
        "the best of those made by hand, at the budget of rnn"
    )
    assert (
        ledger["rnn-random", "all"]["how"]
        == "the best of some drawn at random, at the budget of rnn"
    )
    page = " ".join((results / "report/index.html").read_text().split())
    assert "the random-search system rnn-random" in page
    assert "the hand-made system rnn-by-hand" in page

    def longer(settings):
        settings["systems"]["rnn"]["search"]["epochs"] = 3

    rivals.rewrite(longer)
    searched = {name for name in rivals.reruns() if name.startswith("search ")}
    assert {name.split("/")[1] for name in searched} == set(SYSTEMS)
