"""Bytes that a run writes, by hand from the sizes of the paper."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from emonas.settings.forecast.disk import Bytes, Scales, disk_lines, predictions_bytes
from emonas.settings.forecast.hours import Clock
from emonas.settings.forecast.jobs import Jobs
from emonas.settings.forecast.rehearsal import predictions_file
from emonas.settings.load import load_settings
from emonas.settings.plan import Plan
from emonas.settings.sizes import corpus_size, protocol_size

PAPER = Path(__file__).parents[2] / "workflow/papers/emotionnas-v2.yaml"


@pytest.fixture
def plan(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Plan]:
    monkeypatch.delenv("EMONAS_DATA", raising=False)
    monkeypatch.chdir(tmp_path)
    return Plan(load_settings(PAPER))


def test_features_of_the_paper_by_hand(plan: Plan, tmp_path: Path) -> None:
    """IEMOCAP's 10039 utterances, each cut or padded to 2908 frames of 512 in groups of 4."""
    protocol = plan.settings.runs[0].protocol
    corpus = plan.settings.protocols[protocol].corpora[0]
    corpora = {corpus: corpus_size(plan, corpus)}
    sizes = {protocol: protocol_size(plan, protocol)}
    clock = Clock(plan, sizes, corpora, str(tmp_path))
    scales = Scales(plan, sizes, corpora, clock)
    (name,) = (name for name, one in plan.settings.features.items() if one.extractor == "wav2vec")
    half = plan.settings.features[name].store == "float16"
    found = scales.bytes(Jobs("features", 1, corpus=corpus, feature=name))
    wanted = 10039 * 2908 / 4 * 512 * (2 if half else 4)
    assert found.kinds["feature files"] == pytest.approx(wanted)
    assert found.whole


@pytest.mark.parametrize(("width", "count"), [(16, 300), (128, 6000), (512, 1500)])
def test_predictions_are_scaled_from_what_is_written(
    tmp_path: Path, width: int, count: int
) -> None:
    there = predictions_file(tmp_path / "a.h5", width, count, 3)
    assert predictions_bytes(width, count, 3) == pytest.approx(there, rel=0.1)
    assert there > count * width * 4


@pytest.mark.parametrize(
    ("keep", "stays", "more", "skipped"),
    [
        ("all", "1.0 GB", "5.0 MB", "14.0 MB"),
        # Of each system those of one run, of which s has four; all others may be there at once.
        ("best", "254.0 MB", "755.0 MB", "7.0 MB"),
        ("none", "-", "1.0 GB", "-"),
    ],
)
def test_weights_that_go_again_take_room_while_they_are_there(
    plan: Plan, keep: str, stays: str, more: str, skipped: str
) -> None:
    changed = Plan(plan.settings.model_copy(update={"keep": keep}))
    jobs = {
        Jobs("train", 4, protocol="p", system="s"): Bytes({"weights": 1e9}, 3e6),
        Jobs("fuse", 1, protocol="p", system="t"): Bytes({"weights": 4e6}, 2e6),
        Jobs("train", 2, True, protocol="p", system="u"): Bytes({"weights": 14e6}, 9e6),
    }
    lines = list(disk_lines(changed, jobs, 2))
    (row,) = [line for line in lines if line.startswith("  weights")]
    assert re.split(r"  +", row.strip())[1:] == [stays, skipped]
    assert any(f"up to {more} more" in line for line in lines)


@pytest.mark.parametrize(("keep", "advice"), [("all", "set keep to best or none, "), ("none", "")])
def test_what_is_too_little_is_a_warning(plan: Plan, keep: str, advice: str) -> None:
    changed = Plan(plan.settings.model_copy(update={"keep": keep}))
    much = {Jobs("train", 2, protocol="p", system="s"): Bytes({"weights": 1e18}, 3e6)}
    lines = list(disk_lines(changed, much, 2))
    remedy = f"for this run: make room, or {advice}features to store: float16"
    assert any(re.match(rf"warning: .* too little is free {remedy}", line) for line in lines)
    little = {Jobs("train", 2, protocol="p", system="s"): Bytes({"weights": 1e3}, 1e3)}
    assert not any(line.startswith("warning") for line in disk_lines(changed, little, 2))
