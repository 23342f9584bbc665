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


@pytest.mark.parametrize(("keep", "peak"), [("all", "5.0 MB"), ("none", "0 kB")])
def test_what_is_too_little_is_a_warning(plan: Plan, keep: str, peak: str) -> None:
    changed = Plan(plan.settings.model_copy(update={"keep": keep}))
    jobs = {
        Jobs("train", 2, protocol="p", system="s"): Bytes({"weights": 1e18}, 3e6),
        Jobs("fuse", 1, protocol="p", system="t"): Bytes({"weights": 4e6}, 2e6),
        Jobs("train", 1, True, protocol="p", system="u"): Bytes({"weights": 7e6}, 9e6),
    }
    lines = list(disk_lines(changed, jobs, 2))
    assert any(f"up to {peak} more" in line for line in lines)
    assert any(re.match(r"warning: .* too little is free", line) for line in lines)
    (row,) = [line for line in lines if line.startswith("  weights")]
    assert row.split()[-2:] == ["7.0", "MB"]
    little = {Jobs("train", 2, protocol="p", system="s"): Bytes({"weights": 1e3}, 1e3)}
    assert not any(line.startswith("warning") for line in disk_lines(changed, little, 2))
