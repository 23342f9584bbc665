"""Systems that train an encoder: what the settings alone tell is refused before any job."""

import copy

import pytest

from emonas.errors import EmonasError
from emonas.settings.load import check_settings
from emonas.settings.plan import Plan

SMALL = {"layers": 2, "width": 16, "heads": 2, "feed_forward": 16, "channels": 8}
FIRST = {"network": "wav2vec2", "inputs": ["waveform"], "random": SMALL, "tasks": ["asr"]}


@pytest.fixture
def stages(document):
    document["features"]["waveform"] = {"extractor": "waveform"}
    document["systems"] |= {
        "first": FIRST,
        "second": {**FIRST, "tasks": ["emotion"], "start": "first", "freeze": 1},
    }
    document["runs"][0]["systems"] += ["first", "second"]
    return document


def refused(document):
    with pytest.raises(EmonasError) as no:
        check_settings(document)
    return str(no.value)


@pytest.mark.parametrize(
    ("system", "changes", "said"),
    [
        ("second", {"start": "frist"}, "second.start: no system is named frist; did you mean"),
        ("second", {"start": "linear"}, "second.start: linear has another network"),
        ("second", {"network": "hubert"}, "second.start: first has another network"),
        ("second", {"random": {**SMALL, "layers": 3}}, "start: first has another random"),
        ("second", {"longest_seconds": 3}, "start: first has another longest_seconds"),
        ("second", {"start": "second"}, "second.start: second from second goes round"),
        ("first", {"start": "second"}, "goes round"),
        ("second", {"too_long": "skip"}, "start: first has another too_long"),
        ("second", {"refit": True, "training": {"select": "last"}}, "one of first and second has"),
        (
            "second",
            {"tasks": ["emotion", "asr"], "characters": "abc"},
            "start: first spells with other characters",
        ),
        ("first", {"inputs": ["fbank"]}, "first.inputs: wav2vec2 hears a waveform, and fbank"),
        (
            "first",
            {"inputs": [{"feature": "waveform", "pool": 2}]},
            "first.inputs: wav2vec2 hears waveform as it is",
        ),
        (
            "first",
            {"random": None, "checkpoint": "bse"},
            "first.checkpoint: no checkpoint is named",
        ),
    ],
)
def test_what_can_not_start(stages, system, changes, said):
    stages["systems"][system] = {**stages["systems"][system], **changes}
    assert said in refused(stages)


def test_a_first_stage_is_in_the_run_of_the_second(stages):
    stages["runs"][0]["systems"].remove("first")
    assert "runs.0.systems: second starts from first, which is not in this run" in refused(stages)


def test_emotion_is_somebody_s_task(stages):
    stages["runs"].append({"protocol": "own", "systems": ["first"]})
    stages["runs"][1]["systems"] = ["first"]
    assert "runs.1.systems: no system of own learns emotion" in refused(stages)


@pytest.mark.parametrize(
    ("stream", "joint", "said"),
    [
        ("first", False, "both.fuse: first does not learn emotion"),
        ("second", True, "both.joint: second trains an encoder of its own"),
    ],
)
def test_what_can_not_be_fused(stages, stream, joint, said):
    fusion = {"fuse": [stream, "gru"], "method": "concat", "joint": joint}
    stages["systems"]["both"] = fusion
    assert said in refused(stages)


def test_only_what_a_task_needs_is_read(stages):
    plan = Plan(check_settings(stages))
    assert plan.task_corpora("first", ["spoken"]) == ["spoken"]
    assert plan.task_corpora("second", ["spoken"]) == []
    assert plan.start_of("second") == "first"
    assert plan.start_of("gru") is None


def test_a_first_stage_is_tested_nowhere_else(stages):
    stages["corpora"]["other"] = {"reader": "synthetic", "seed": 1}
    stages["protocols"]["loso"]["transfer"] = {"other": {}}
    plan = Plan(check_settings(stages))
    assert plan.tested_elsewhere("loso", "first") == []
    assert plan.tested_elsewhere("loso", "second") == ["other"]


def test_a_system_whose_weights_are_nowhere_is_skipped_with_the_reason(stages, tmp_path):
    stages["checkpoints"] = {"base": {"file": "no such file"}}
    for name in ("first", "second"):
        system = copy.deepcopy(stages["systems"][name])
        stages["systems"][name] = {**system, "random": None, "checkpoint": "base"}
    plan = Plan(check_settings(stages))
    (entry,) = [entry for entry in plan.skipped if "first" in entry["systems"]]
    assert entry["systems"] == ["first", "second"]
    assert entry["reason"].startswith("checkpoints.base: ")


def test_nobody_validates_what_the_first_stage_learnt_from(stages):
    for name in ("first", "second"):
        stages["systems"][name] = {**stages["systems"][name], "refit": True}
    told = refused(stages)
    assert "second.start: with refit: true first has learnt from those on whom second would" in told
    stages["systems"]["second"]["training"] = {"select": "last"}
    check_settings(stages)
