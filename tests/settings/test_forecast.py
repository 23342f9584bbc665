"""Forecasts: jobs against a count by hand, hours that are finite and scale as the run does."""

import math
import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from emonas.search.methods import cells
from emonas.settings.forecast import forecast_lines
from emonas.settings.forecast.jobs import RULES, list_jobs
from emonas.settings.load import check_settings, load_settings
from emonas.settings.plan import Plan
from emonas.settings.sizes import ProtocolSize, corpus_size, protocol_size
from emonas.storage.folds import write_index
from emonas.systems.kinds import recurrent

REPOSITORY = Path(__file__).parents[2]
EMODB = REPOSITORY.parent / "shared" / "corpora" / "emodb"
ARCHIVE = REPOSITORY.parent / "shared" / "nas_bench_nlp" / "train_logs_wikitext-2.zip"


@pytest.fixture(autouse=True)
def _elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("EMONAS_DATA", raising=False)
    monkeypatch.chdir(tmp_path)


SYSTEM = recurrent.Options(inputs=["f"])


def small() -> dict[str, Any]:
    """Two systems and their fusion, on 2 corpora by 2 features, one of which is not there."""
    image = {"extractor": "spectrogram", "seconds": 1, "frames": 16, "bins": 16}
    darts = {"method": "darts", "channels": 2, "cells": 3, "epochs": 2, "batch": 8}
    choice = {"method": "cells", "epochs": 2, "named": ["rnn", "gru"]}
    return {
        "corpora": {
            "demo": {"reader": "synthetic", "sessions": 4, "utterances": 3},
            "absent": {"reader": "emodb"},
        },
        "protocols": {
            "three": {"corpora": ["demo"], "test": "groups", "groups": 3, "allow": ["text"]},
            "other": {"corpora": ["absent"], "test": "speaker", "allow": ["text"]},
        },
        "features": {"image": image, "fbank": {"extractor": "fbank", "pool": 4}},
        "systems": {
            "cnn": {"network": "cells", "inputs": ["image"], "search": {**darts, "shared": True}},
            "rnn": {"network": "recurrent", "inputs": ["fbank"], "hidden": 8, "search": choice},
            "linear": {"network": "linear", "inputs": ["fbank"]},
            "both": {"fuse": ["cnn", "rnn"], "dominant": "rnn"},
        },
        "runs": [
            {"protocol": "three", "systems": ["cnn", "rnn", "both", "linear"], "seeds": 2},
            {"protocol": "other", "systems": ["linear"]},
        ],
    }


def counts(plan: Plan, skipped: bool) -> dict[str, int]:
    sizes = {run.protocol: protocol_size(plan, run.protocol) for run in plan.settings.runs}
    jobs = list_jobs(plan, sizes)
    return {
        rule: sum(j.count or 0 for j in jobs if j.rule == rule and j.skipped is skipped)
        for rule in RULES
    }


def test_jobs_of_a_small_file_counted_by_hand() -> None:
    plan = Plan(check_settings(small()))
    assert counts(plan, skipped=False) == {
        "corpora": 1,
        "protocols": 1,
        "fold": 3,
        "transfer": 0,
        "audit": 1,
        "checkpoint": 0,
        "transcripts": 0,
        "features": 2,
        "search": 2 * 1 + 2 * 3,  # the cnn's serves all folds
        "train": 2 * 3 * 3,
        "train_inflated": 0,
        "train_transfer": 0,
        "fuse": 2 * 3,
        "fuse_transfer": 0,
        "evaluate": 4,
        "compare": 1,
        "differences": 0,
        "speed": 0,
        "recognition": 0,
        "report": 1,
    }
    skipped = counts(plan, skipped=True)
    assert (skipped["train"], skipped["corpora"], skipped["search"]) == (10, 1, 0)


def test_jobs_of_the_paper_by_formula() -> None:
    plan = Plan(load_settings(REPOSITORY / "workflow" / "papers" / "emotionnas-v2.yaml"))
    folds, systems, fused, searched = 5, 19, 5, 6
    assert counts(plan, skipped=True) == {
        "corpora": 1,
        "protocols": 1,
        "fold": folds,
        "transfer": 0,
        "audit": 1,
        "checkpoint": 1,
        "transcripts": 0,
        "features": 2,
        "search": folds * searched,
        "train": folds * (systems - fused),
        "train_inflated": 0,
        "train_transfer": 0,
        "fuse": folds * fused,
        "fuse_transfer": 0,
        "evaluate": systems,
        "compare": 1,
        "differences": 0,
        "speed": 0,
        "recognition": 0,
        "report": 0,
    }


@pytest.mark.parametrize(
    ("given", "folds", "train"),
    [
        ({"test": "speaker", "validate": "partner", "swap": False}, 5, 10039 * 8 / 10),
        ({"test": "speaker", "validate": "partner"}, 10, 10039 * 8 / 10),
        ({"test": "speaker"}, 10, 10039 * 8 / 10),
        ({"test": "session"}, 5, 10039 * 3 / 5),
        ({"test": "groups", "groups": 4, "validate": "none"}, 4, 10039 * 3 / 4),
        ({"test": "random", "repeats": 7, "share": 0.2}, 7, 10039 * 0.8 * 0.8),
    ],
)
def test_folds_by_the_published_size(given: dict[str, Any], folds: int, train: float) -> None:
    document = small()
    document["corpora"]["iemocap"] = {"reader": "iemocap"}
    document["protocols"]["other"] = {"corpora": ["iemocap"], "allow": ["text"], **given}
    size = protocol_size(Plan(check_settings(document)), "other")
    assert size is not None
    assert (size.folds, size.exact) == (folds, False)
    assert size.train == pytest.approx(train)


def test_folds_that_are_there_go_before_published_sizes() -> None:
    rows = [("a", "x", 30, 5, 5), ("b", "y", 20, 10, 10)]
    table = pd.DataFrame(rows, columns=["fold", "held_out", "train", "validation", "test"])
    write_index(Path("results/protocols/three/folds.csv"), table)
    assert protocol_size(Plan(check_settings(small())), "three") == ProtocolSize(2, 25.0, True)


def test_folds_of_a_list() -> None:
    rows = [f"u{n},{'ab'[n % 2]},{'test' if n < 2 else 'train'}" for n in range(8)]
    Path("folds.csv").write_text("\n".join(["utterance,fold,part", *rows]), encoding="utf-8")
    document = small()
    document["protocols"]["three"] = {"corpora": ["demo"], "test": "list", "list": "folds.csv"}
    assert protocol_size(Plan(check_settings(document)), "three") == ProtocolSize(2, 3.0, False)


def test_a_corpus_whose_files_are_there_is_counted_before_it_is_read() -> None:
    if not EMODB.is_dir():
        pytest.skip("EmoDB is not here")
    document = small()
    document["corpora"]["absent"]["root"] = str(EMODB)
    document["protocols"]["other"]["labels"] = ["angry", "sad"]
    plan = Plan(check_settings(document))
    size, folds = corpus_size(plan, "absent"), protocol_size(plan, "other")
    assert size is not None
    assert folds is not None
    assert size.utterances == 535
    # Each utterance tests once and validates once: 127 angry ones and 62 sad ones.
    assert (folds.folds, folds.exact) == (10, True)
    assert folds.train == pytest.approx((127 + 62) * 8 / 10)


def test_candidate_epochs_are_those_of_the_rounds() -> None:
    # 8 candidates to epoch 13 (of 50, halved twice), 4 to 25, 2 to 50.
    options = cells.Options(named=(), random=8, first_epochs=10)
    assert cells.trained_epochs(options, SYSTEM) == 8 * 13 + 4 * 12 + 2 * 25
    assert cells.trained_epochs(options.model_copy(update={"halving": 1}), SYSTEM) == 8 * 50


def test_an_absent_archive_counts_by_its_limit_or_not_at_all() -> None:
    absent = cells.Options(named=("gru",), archive=Path("no.zip"), halving=1, epochs=2)
    assert cells.trained_epochs(absent, SYSTEM) is None
    assert cells.trained_epochs(absent.model_copy(update={"archive_limit": 20}), SYSTEM) == 42
    assert cells.rehearsal(absent).archive is None


def test_an_archive_is_rehearsed_on_one_of_its_cells() -> None:
    if not ARCHIVE.exists():
        pytest.skip("the archive is not here")
    options = cells.Options(named=(), archive=ARCHIVE, archive_limit=30, halving=1)
    assert cells.trained_epochs(options, SYSTEM) == 30 * 50
    assert len(cells.gather_pool(cells.rehearsal(options))) == 2


def table_of(lines: list[str]) -> dict[str, tuple[str, float]]:
    """Jobs and hours of what runs, by rule."""
    rows = [line.split() for line in lines if line.startswith("  ") and line.split()[0] in RULES]
    return {row[0]: (row[1], math.nan if row[2] == "-" else float(row[2])) for row in rows}


def hours_of(lines: list[str], system: str) -> float:
    found = next(
        re.search(rf": {system} +([\d.]+)", line) for line in lines if f": {system} " in line
    )
    assert found is not None
    return float(found[1])


def test_the_lines_give_every_rule_and_finite_hours() -> None:
    document = small()
    # So many epochs that two decimals of an hour show them.
    document["systems"]["rnn"]["training"] = {"epochs": 1_000_000}
    document["systems"]["both"]["training"] = {"epochs": 10_000_000}
    document["systems"]["cnn"]["search"]["epochs"] = 1_000_000
    lines = list(forecast_lines(Plan(check_settings(document)), 1))
    rows = table_of(lines)
    assert set(rows) == set(RULES)
    assert rows["train"][0] == "18"
    for rule in ("search", "train", "fuse"):
        assert 0 < rows[rule][1] < math.inf
    parts = sum(hours_of(lines, system) for system in ("cnn", "rnn", "both"))
    assert sum(rows[rule][1] for rule in ("search", "train", "fuse")) == pytest.approx(
        parts, rel=0.01
    )
    text = "\n".join(lines)
    assert re.search(r"other: linear +[\d.]+ +skipped", text)
    assert "three: 3 folds" in text
    assert "at most" in text
    assert "An estimate" in text


def test_more_cores_shorten_and_equal_systems_are_rehearsed_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from emonas.settings.forecast import hours

    rehearsed: list[Any] = []
    real = hours.rehearse_system

    def counted(options: Any, *rest: Any) -> Any:
        rehearsed.append(options)
        return real(options, *rest)

    monkeypatch.setattr(hours, "rehearse_system", counted)
    document = small()
    gru = {"network": "recurrent", "inputs": ["fbank"], "cell": "gru", "hidden": 8}
    gru["training"] = {"epochs": 1_000_000}
    document["systems"] = {"one": gru, "two": gru}
    document["runs"] = [{"protocol": "three", "systems": ["one", "two"]}]
    lines = list(forecast_lines(Plan(check_settings(document)), 2))
    assert len(rehearsed) == 1
    assert lines[0].startswith("Each of 3 systems and features is rehearsed")
    assert sorted(line.strip() for line in lines[1:4]) == ["fbank", "one", "two"]
    one = hours_of(lines, "one")
    assert one == hours_of(lines, "two") > 0
    # Two systems on two cores take as long as one of them on one.
    assert table_of(lines)["train"][1] == pytest.approx(one, rel=0.01)


def test_what_is_left_out_is_not_rehearsed_and_keys_are_the_systems_own() -> None:
    document = small()
    wild = {"network": "rnn-mhsa", "inputs": ["fbank"], "hidden": 8, "heads": 2, "head_width": 4}
    wild["training"] = {"optimiser": "sgd", "learning_rate": 1000.0, "weight_decay": 1e27}
    document["systems"]["wild"] = wild
    document["runs"] = [{"protocol": "three", "systems": ["linear", "wild"]}]
    lines = list(forecast_lines(Plan(check_settings(document)), 2))
    (told,) = [line for line in lines if line.startswith("not forecast")]
    assert told.startswith("not forecast: systems.wild: ")
    assert "lower systems.wild.training.learning_rate" in told
    document["leave_out"] = {"three": ["wild"]}
    lines = list(forecast_lines(Plan(check_settings(document)), 2))
    assert not any("wild" in line for line in lines)
    assert table_of(lines)["train"][0] == "3"


def test_what_cannot_be_told_is_said(tmp_path: Path) -> None:
    document = small()
    document["corpora"]["absent"] = {"reader": "folders"}
    document["runs"] = [{"protocol": "other", "systems": ["linear"]}]
    lines = list(forecast_lines(Plan(check_settings(document)), 1))
    assert any(line.startswith("other: nothing tells") for line in lines)
    assert re.search(r"train +0 +- +0\+\? +unknown", "\n".join(lines))


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Systems on own vectors, on the corpus's words and on recognised ones; all files are there."""
    # Whether a package is there is not the question here.
    monkeypatch.setattr("emonas.features.extraction.missing_package", lambda *_: "")
    monkeypatch.setattr("emonas.features.recogniser.missing_package", lambda *_: "")
    for name in ("bert.bin", "whisper.pt", "demo.npz"):
        Path(name).write_bytes(b"there")
    document = small()
    document["corpora"]["second"] = {"reader": "synthetic", "sessions": 2, "utterances": 2}
    document["corpora"]["absent"]["texts"] = {"a01": "what was said"}
    document["checkpoints"] = {
        "bert": {"path": "bert.bin"},
        "whisper": {"path": "whisper.pt"},
        "unused": {"path": "whisper.pt"},
    }
    document["transcripts"] = {"recognised": {"recogniser": "whisper", "checkpoint": "whisper"}}
    words = {"extractor": "bert", "checkpoint": "bert"}
    document["features"] = {
        "own": {"extractor": "precomputed", "file": "{corpus}.npz"},
        "said": words,
        "understood": {**words, "transcript": "recognised"},
    }
    document["systems"] = {
        name: {"network": "linear", "inputs": [name]} for name in document["features"]
    }
    document["runs"] = [
        {"protocol": "three", "systems": ["own", "said", "understood"]},
        {"protocol": "other", "systems": ["said"]},
    ]
    document["recognition"] = [
        {"transcript": "recognised", "corpora": ["demo", "second", "absent"]}
    ]
    return document


def test_weights_transcripts_and_error_rates_are_counted(heard: dict[str, Any]) -> None:
    plan = Plan(check_settings(heard))
    rules = ("corpora", "checkpoint", "transcripts", "features", "recognition")
    runs, skipped = counts(plan, skipped=False), counts(plan, skipped=True)
    # The transcript of demo serves a feature and the error rates; absent has no root.
    assert [runs[rule] for rule in rules] == [2, 2, 2, 3, 2]
    assert [skipped[rule] for rule in rules] == [1, 0, 1, 1, 1]


def test_features_and_transcripts_that_are_not_rehearsed_say_why(heard: dict[str, Any]) -> None:
    lines = list(forecast_lines(Plan(check_settings(heard)), 1))
    assert {line for line in lines if line.startswith("not forecast")} == {
        "not forecast: transcripts.recognised: recognisers are not rehearsed",
        "not forecast: features.own: precomputed features are read and not extracted, which "
        "takes little",
        "not forecast: features.said: its words are not known before the run",
        "not forecast: features.understood: its words are not known before the run",
    }
    text = "\n".join(lines)
    assert re.search(r"  checkpoint +2 +- +0 +-\n  transcripts +2 +unknown +1 +unknown\n", text)
    assert re.search(r"  recognition +2 +- +1 +-\n", text)


def test_files_that_are_not_there_go_before_other_reasons(heard: dict[str, Any]) -> None:
    Path("demo.npz").unlink()
    Path("bert.bin").unlink()
    text = "\n".join(forecast_lines(Plan(check_settings(heard)), 1))
    assert "not forecast: features.own.file: there is no file demo.npz;" in text
    assert "not forecast: checkpoints.bert.path: there is no file bert.bin;" in text
    assert "absent.npz" not in text


def test_corpora_that_are_transferred_to_are_counted() -> None:
    document = small()
    options = document["protocols"]["three"]
    document["corpora"]["elsewhere"] = {"reader": "synthetic", "languages": ["fr"]}
    options["transfer"] = ["elsewhere"]
    found = counts(Plan(check_settings(document)), skipped=False)
    before = counts(Plan(check_settings(small())), skipped=False)
    assert found["corpora"] == before["corpora"] + 1
    assert found["transfer"] == 1
    assert found["features"] == 2 * before["features"]
    assert (found["train_transfer"], found["fuse_transfer"]) == (found["train"], found["fuse"])


def test_trainings_under_habits_are_counted() -> None:
    document = small()
    document["runs"][0]["inflation"] = True
    found = counts(Plan(check_settings(document)), skipped=False)
    assert found["train_inflated"] == found["train"] > 0
    assert found["evaluate"] == counts(Plan(check_settings(small())), skipped=False)["evaluate"]


def two_stages() -> dict[str, Any]:
    """A first stage, a second one, and another corpus that the second is tested on."""
    document = small()
    sizes = {"layers": 2, "width": 16, "heads": 2, "feed_forward": 16, "channels": 8}
    first = {
        "network": "wav2vec2",
        "inputs": ["waveform"],
        "random": sizes,
        "tasks": ["asr", "gender"],
        "skip": 2,
        "training": {"epochs": 4, "batch": 4},
    }
    second = {**first, "start": "first", "tasks": ["emotion", "style"], "skip": None, "freeze": 1}
    document["features"] = {"waveform": {"extractor": "waveform"}}
    document["systems"] = {"first": first, "second": second}
    document["corpora"]["elsewhere"] = {"reader": "synthetic", "sessions": 2}
    document["protocols"] = {"three": {**document["protocols"]["three"]}}
    document["protocols"]["three"]["transfer"] = {"elsewhere": {}}
    document["runs"] = [{"protocol": "three", "systems": ["first", "second"]}]
    return document


def test_both_stages_are_counted_and_rehearsed() -> None:
    pytest.importorskip("transformers", reason="transformers is not installed")
    plan = Plan(check_settings(two_stages()))
    found = counts(plan, skipped=False)
    # The first stage learns no emotion, and is tested nowhere else.
    assert (found["train"], found["train_transfer"], found["evaluate"]) == (6, 3, 2)
    said = "\n".join(forecast_lines(plan, 2))
    assert "systems.first" not in said
    assert "systems.second" not in said


def test_an_encoder_s_weights_are_a_job_where_only_a_system_needs_them() -> None:
    document = two_stages()
    document["checkpoints"] = {"base": {"address": "https://example.org/base.pt", "size": 5}}
    for system in document["systems"].values():
        system |= {"random": None, "checkpoint": "base", "network": "whisper-encoder"}
    plan = Plan(check_settings(document))
    assert counts(plan, skipped=False)["checkpoint"] == 1
