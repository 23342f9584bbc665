"""What is left out takes with it what leans on it, and nothing else."""

import copy
from pathlib import Path
from typing import Any

import pytest

from emonas.errors import EmonasError
from emonas.settings.expansion import expand_systems
from emonas.settings.load import check_settings
from emonas.settings.plan import Plan
from emonas.settings.yaml_file import read_yaml

REPOSITORY = Path(__file__).parents[2]
FILES = [
    *sorted(REPOSITORY.glob("workflow/papers/*.yaml")),
    *sorted(REPOSITORY.glob("workflow/examples/*.yaml")),
    REPOSITORY / "config.yaml",
]


class WithEverything(Plan):
    """The jobs of a machine that has all corpora and weights."""

    def _lacking(self, protocol: str, system: str) -> str:
        return ""


def left(document: Any, **leave_out: list[str]) -> set[tuple[str, str]]:
    return set(WithEverything(check_settings({**document, "leave_out": leave_out})).runs)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_what_is_left_of_a_settings_file_can_stand_alone(path: Path) -> None:
    """Held against the rules for `runs`, which name what has to be added there."""
    document = dict(read_yaml(path))
    document["systems"] = expand_systems(document["systems"])
    # What tables show of a run that is not there is no matter of who leans on whom.
    alone = {**document, "tables": {}, "figures": {}}
    settings = check_settings(document)
    whole = WithEverything(settings)
    for protocol, system in whole.runs:
        fewer = settings.model_copy(update={"leave_out": {protocol: (system,)}})
        plan = WithEverything(fewer)
        gone = set(whole.runs) - set(plan.runs)
        assert (protocol, system) in gone
        assert {of for of, _ in gone} == {protocol}
        runs = []
        for run in settings.runs:
            names = [name for name in run.systems if (run.protocol, name) not in gone]
            runs.append(run.model_dump(mode="json") | {"systems": names})
        if runs := [run for run in runs if run["systems"]]:
            check_settings({**alone, "runs": runs})
        # Else all that was extracted would have to be so again.
        for feature in settings.features:
            assert plan.feature_params(feature) == whole.feature_params(feature)


def test_fusions_rivals_and_later_stages_go_with_it(document: Any) -> None:
    search = {"method": "random-search", "budget": "rnn"}
    document["systems"]["drawn"] = {**document["systems"]["rnn"], "search": search}
    document["systems"]["later"] = {**document["systems"]["rnn"], "search": "drawn"}
    document["runs"] = [
        {"protocol": "loso", "systems": ["linear", "cnn", "rnn", "both", "drawn", "later"]}
    ]
    everything = {("loso", name) for name in document["runs"][0]["systems"]}
    assert left(document) == everything
    assert left(document, loso=["rnn"]) == {("loso", "linear"), ("loso", "cnn")}
    assert left(document, loso=["drawn"]) == everything - {("loso", "drawn"), ("loso", "later")}
    assert left(document, loso=["both", "linear"]) == everything - {
        ("loso", "both"),
        ("loso", "linear"),
    }


def test_the_reason_names_the_key(document: Any) -> None:
    document["runs"] = [{"protocol": "loso", "systems": ["linear", "cnn", "rnn", "both"]}]
    document["leave_out"] = {"loso": ["rnn"]}
    assert WithEverything(check_settings(document)).skipped == [
        {
            "protocol": "loso",
            "systems": ["rnn"],
            "reason": "left out by the settings: leave_out.loso names rnn",
        },
        {
            "protocol": "loso",
            "systems": ["both"],
            "reason": "left out by the settings: leave_out.loso names rnn, which it needs",
        },
    ]


def test_nothing_stays_of_a_protocol_that_tells_no_emotion(document: Any) -> None:
    words = {"network": "wav2vec2", "inputs": ["waveform"], "random": {"layers": 1}}
    document["features"]["waveform"] = {"extractor": "waveform"}
    document["systems"] |= {
        "first": {**words, "tasks": ["gender"]},
        "second": {**words, "start": "first"},
    }
    document["runs"] = [{"protocol": "loso", "systems": ["first", "second"]}]
    assert left(document, loso=["first"]) == set()
    assert left(document, loso=["second"]) == set()
    document["leave_out"] = {"loso": ["second"]}
    first, _ = WithEverything(check_settings(document)).skipped
    assert first["reason"].endswith("leave_out.loso leaves nothing that tells emotions")


@pytest.mark.parametrize(
    ("leave_out", "told"),
    [
        ({"lsos": ["rnn"]}, "leave_out: no protocol is named lsos; did you mean loso?"),
        (
            {"loso": ["linaer"]},
            "leave_out.loso: no system of a run under loso is named linaer; did you mean linear?",
        ),
    ],
)
def test_a_name_that_is_none_is_told(document: Any, leave_out: Any, told: str) -> None:
    changed = copy.deepcopy(document) | {"leave_out": leave_out}
    with pytest.raises(EmonasError, match=f"^{told}".replace("?", r"\?")):
        check_settings(changed)
