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
