"""What `emonas export` and `emonas bundle` say where there is nothing to take out."""

from pathlib import Path

import pytest

from emonas.errors import EmonasError
from emonas.export.bundle import write_bundle
from emonas.export.choosing import Chosen, choose
from emonas.export.write import export_system
from emonas.settings.load import load_settings
from emonas.settings.plan import Plan

DEMONSTRATION = Path(__file__).parents[2] / "config.yaml"


@pytest.fixture(scope="module")
def plan():
    return Plan(load_settings(DEMONSTRATION))


@pytest.mark.parametrize(
    ("system", "protocol", "said"),
    [
        ("emotionas", None, "no such system; did you mean emotionnas?"),
        ("xyz", None, "xyz: the settings have no such system; there are: attention under demo"),
        ("cnn", "demo-stages", "cnn under demo-stages: the settings have no such run; there are: "),
        (None, "elsewhere", "elsewhere: the settings have no such run; there are: "),
        (
            "first-stage",
            None,
            "first-stage: learns no emotion, so that there is nothing to predict; export another "
            "system, such as two-stage, which starts from it",
        ),
    ],
)
def test_what_can_t_be_exported_is_told_with_what_can(plan, system, protocol, said):
    with pytest.raises(EmonasError) as refused:
        choose(plan, system, protocol, 0)
    assert said in str(refused.value)
    assert "first-stage under" not in str(refused.value)


def test_before_any_run_the_command_that_runs_is_told(plan, tmp_path):
    settings, results = Path("my settings.yaml"), tmp_path / "results"
    said = r"has no results of demo yet; run it first.*--configfile 'my settings\.yaml'$"
    with pytest.raises(EmonasError, match=said):
        export_system(plan, choose(plan, None, None, 0), [], tmp_path / "m", settings, results)
    with pytest.raises(EmonasError, match=said):
        write_bundle(plan, settings, results, tmp_path, tmp_path / "bundle.zip")
    assert choose(plan, "cnn", None, 0) == Chosen("demo", "cnn", 0)


def test_a_corpus_whose_folder_is_not_known_is_told_with_a_remedy_that_is_there(monkeypatch):
    monkeypatch.delenv("EMONAS_DATA", raising=False)
    monkeypatch.chdir(DEMONSTRATION.parent)
    ours = Plan(load_settings(Path("workflow/examples/emodb.yaml")))
    with pytest.raises(EmonasError, match="put it into `roots:` of the settings file") as refused:
        choose(ours, None, None, 0)
    assert "--config" not in str(refused.value)


def test_results_of_a_corpus_that_was_given_elsewhere_are_not_bundled(tmp_path, monkeypatch):
    """It was given by `--config roots=`, or by a variable that is no longer set."""
    monkeypatch.delenv("EMONAS_DATA", raising=False)
    monkeypatch.chdir(DEMONSTRATION.parent)
    settings = Path("workflow/examples/emodb.yaml")
    ours = Plan(load_settings(settings))
    protocol = ours.skipped[0]["protocol"]
    index = tmp_path / "results/protocols" / protocol / "folds.csv"
    index.parent.mkdir(parents=True)
    index.write_text("fold\n")
    said = rf"there are results of {protocol}, but corpora\.emodb\.root is not given: put it into"
    with pytest.raises(EmonasError, match=said):
        write_bundle(ours, settings, tmp_path / "results", tmp_path, tmp_path / "b.zip")
