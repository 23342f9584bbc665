"""Searches at the budget of another one: what they ask of it."""

import pytest

from emonas.errors import EmonasError
from emonas.settings.load import check_settings
from emonas.settings.plan import Plan

SEARCH = {"method": "random-search", "budget": "cnn", "channels": 4}


@pytest.fixture
def rivals(document):
    """A random search beside DARTS, and hand-made cells beside a search of recurrent ones."""
    document["systems"] |= {
        "drawn": {"network": "cells", "inputs": ["image"], "search": dict(SEARCH)},
        "made": {
            "network": "recurrent",
            "inputs": ["fbank"],
            "search": {"method": "hand-made", "budget": "rnn"},
        },
    }
    document["runs"][0]["systems"] += ["drawn", "made"]
    return document


def plan(document):
    return Plan(check_settings(document))


@pytest.mark.parametrize(
    ("system", "change", "told"),
    [
        ("drawn", {"budget": "cmn"}, r"systems\.drawn\.search\.budget: no system is named cmn"),
        ("drawn", {"budget": "linear"}, "linear has no search of its own"),
        ("drawn", {"budget": "drawn"}, "drawn has no search of its own; .* give search.trials"),
        ("drawn", {"budget": "rnn"}, "rnn has another network than drawn"),
        ("drawn", {"channels": 6}, r"systems\.drawn\.search\.channels: is 6, and that of cnn is 4"),
        (
            "made",
            {"budget": "chance"},
            "chance is searched by random, which is no search to be held",
        ),
        ("made", {"trials": 3}, "give either budget"),
    ],
)
def test_a_budget_is_that_of_the_same_system_with_a_search(rivals, system, change, told):
    rivals["systems"]["chance"] = {
        "network": "recurrent",
        "inputs": ["fbank"],
        "search": {"method": "random"},
    }
    rivals["systems"][system]["search"] |= change
    with pytest.raises(EmonasError, match=told):
        plan(rivals)


def test_two_systems_of_one_budget_differ_by_the_search_alone(rivals):
    rivals["systems"]["drawn"]["training"] = {"epochs": 3}
    with pytest.raises(EmonasError, match="cnn has another training than drawn"):
        plan(rivals)
    del rivals["systems"]["drawn"]["search"]["budget"]
    rivals["systems"]["drawn"]["search"]["trials"] = 5
    plan(rivals)


@pytest.mark.parametrize("change", [{"edges": "all"}, {"retrain": False}])
def test_rivals_have_the_edges_and_the_training_of_what_pays(rivals, change):
    rivals["systems"]["cnn"]["search"] |= change
    with pytest.raises(EmonasError, match="keeps all edges, or what it finds is not trained anew"):
        plan(rivals)


def test_a_search_for_all_folds_pays_for_no_search_a_fold(rivals):
    rivals["systems"]["cnn"]["search"]["shared"] = True
    with pytest.raises(EmonasError, match=r"drawn\.search\.shared: is False, and that of cnn is T"):
        plan(rivals)
    rivals["systems"]["drawn"]["search"]["shared"] = True
    plan(rivals)


def test_who_is_refitted_alone_is_no_rival(rivals):
    rivals["systems"]["made"]["refit"] = True
    with pytest.raises(EmonasError, match="rnn has another refit than made"):
        plan(rivals)


def test_the_search_that_pays_stands_in_the_same_run(rivals):
    rivals["runs"][0]["systems"].remove("both")
    rivals["runs"][0]["systems"].remove("cnn")
    with pytest.raises(EmonasError, match="that of cnn, which is not in this run; add it"):
        plan(rivals)


def test_a_rival_is_no_budget_for_another(rivals):
    rivals["systems"]["drawn"]["search"]["budget"] = "other"
    rivals["systems"]["other"] = {**rivals["systems"]["drawn"], "search": dict(SEARCH)}
    with pytest.raises(EmonasError, match="other is searched by random-search, which is no search"):
        plan(rivals)


def test_who_can_t_be_paid_for_is_skipped(rivals, tmp_path):
    archive = tmp_path / "train_logs.zip"
    rivals["systems"]["rnn"]["search"]["archive"] = str(archive)
    skipped = {name for entry in plan(rivals).skipped for name in entry["systems"]}
    assert {"rnn", "made"} <= skipped
    assert "drawn" not in skipped
