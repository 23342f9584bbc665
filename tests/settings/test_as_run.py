"""The plan of a run, derived elsewhere from its settings file and what its report says of skips."""

from pathlib import Path

import pytest
import yaml

from emonas.export.bundle import scoring_of, told_plan
from emonas.settings.as_run import AsRun, load_elsewhere
from emonas.settings.load import load_settings
from emonas.settings.plan import Plan

ROOT = Path(__file__).parents[2]
FILES = sorted([ROOT / "config.yaml", *ROOT.glob("workflow/*/*.yaml")])


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_elsewhere_the_plan_is_the_same(path, monkeypatch, tmp_path):
    """Where the run was there is no corpus but those that are synthesised."""
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("EMONAS_DATA", str(tmp_path))
    plan = Plan(load_settings(path))
    told = told_plan(plan, path.name)
    monkeypatch.delenv("EMONAS_DATA")
    monkeypatch.chdir(tmp_path)
    again = AsRun(load_elsewhere(path), told)
    assert told_plan(again, path.name) == told
    for protocol in told.run_protocols():
        assert scoring_of(again, protocol) == scoring_of(plan, protocol)


def test_a_corpus_that_lay_on_another_machine_is_not_looked_for(tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    document = yaml.safe_load((ROOT / "workflow/examples/emodb.yaml").read_text())
    for corpus in document["corpora"].values():
        corpus["root"] = str(tmp_path / "a corpus")
    document["roots"] = {name: str(tmp_path / "a corpus") for name in document["corpora"]}
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump(document))
    (tmp_path / "a corpus").mkdir()
    plan = Plan(load_settings(path))
    told = told_plan(plan, path.name)
    assert told.runs
    (tmp_path / "a corpus").rmdir()
    assert told_plan(AsRun(load_elsewhere(path), told), path.name) == told


@pytest.fixture
def told(tmp_path, monkeypatch):
    """A plan of which some runs had no corpus, as its machine told."""
    monkeypatch.setenv("EMONAS_DATA", str(tmp_path))
    monkeypatch.chdir(ROOT)
    return told_plan(Plan(load_settings(ROOT / "config.yaml")), "config.yaml")


def skipping(told, reason):
    """The plan of one who says that the last run was not done."""
    protocol, system = told.runs[-1].protocol, told.runs[-1].systems[0]
    entry = {"protocol": protocol, "systems": [system], "reason": reason}
    document = told.model_dump(mode="json")
    document["skipped"].append(entry)
    document["runs"] = document["runs"][:-1]
    document["measured"] = [p for p in document["measured"] if p != [protocol, system]]
    return type(told).model_validate(document)


@pytest.mark.parametrize(
    "reason",
    [
        "corpora.{corpus}.root is not given: set it",
        "corpora.{corpus}: there is no file a/b",
        "it was not there",
        "corpora.iemocap.root is not given: set it",
    ],
)
def test_a_reason_that_other_runs_contradict_is_not_taken(told, reason):
    corpus = told.protocols[told.runs[-1].protocol].corpora[0]
    forged = skipping(told, reason.format(corpus=corpus))
    again = told_plan(AsRun(load_elsewhere(ROOT / "config.yaml"), forged), "config.yaml")
    assert again.runs == told.runs
