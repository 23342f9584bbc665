"""What is run, what is skipped and why, and which options each rule reads."""

import os

import pytest

from emonas.errors import EmonasError
from emonas.settings.load import check_settings
from emonas.settings.plan import Plan


def plan(document):
    return Plan(check_settings(document))


def test_runs_are_merged_with_the_most_seeds(document):
    document["runs"] = [
        {"protocol": "loso", "systems": ["linear", "gru"], "seeds": 2},
        {"protocol": "loso", "systems": ["linear"], "seeds": 3},
    ]
    assert plan(document).runs == {("loso", "linear"): 3, ("loso", "gru"): 2}


def test_a_corpus_without_a_root_skips_what_needs_it(document):
    found = plan(document)
    assert list(found.runs) == [("loso", name) for name in ("linear", "cnn", "rnn", "gru", "both")]
    assert found.skipped == [
        {
            "protocol": "own",
            "systems": ["linear"],
            "reason": "corpora.own.root is not given: set it in the settings file, with "
            "--config roots='{own: FOLDER}', or put the corpus into $EMONAS_DATA/own",
        }
    ]
    assert found.protocols == ["loso"]


def test_with_a_root_it_runs(document, tmp_path):
    document["roots"] = {"own": str(tmp_path)}
    found = plan(document)
    assert found.skipped == []
    assert found.runs["own", "linear"] == 2


def test_a_file_that_is_not_there_skips_with_its_key(document):
    document["systems"]["rnn"]["search"]["archive"] = "no such.zip"
    skipped = plan(document).skipped
    reason = "systems.rnn.search.archive: there is no file no such.zip; "
    assert [entry["systems"] for entry in skipped if entry["reason"].startswith(reason)] == [
        ["rnn", "both"]
    ]


def test_a_pipe_is_no_file(document, tmp_path):
    os.mkfifo(tmp_path / "pipe.zip")
    document["systems"]["rnn"]["search"]["archive"] = str(tmp_path / "pipe.zip")
    reasons = [entry["reason"] for entry in plan(document).skipped]
    assert any(f"archive: there is no file {tmp_path}/pipe.zip" in reason for reason in reasons)


def test_what_a_system_hears(document):
    found = plan(document)
    assert found.features_of("both") == ["image", "fbank"]
    assert found.feature_files("both", ["spoken"]) == [
        "results/features/spoken/image.h5",
        "results/features/spoken/fbank.h5",
    ]
    assert found.feature_paths("cnn", ["spoken"]) == {
        "image": {
            "digest": found.feature_digest("image"),
            "checkpoint": "",
            "corpora": {"spoken": "results/features/spoken/image.h5"},
        }
    }
    assert [found.stage_of(name) for name in ("cnn", "both")] == ["train", "fuse"]


def params(document):
    """The params of every rule, by its name and what it is for."""
    found = plan(document)
    return {
        "corpora": found.corpus_params("spoken"),
        "split": found.split_params("loso"),
        "audit": found.audit_params("loso"),
        "feature image": found.feature_params("image"),
        "feature fbank": found.feature_params("fbank"),
        "search cnn": found.search_params("cnn"),
        "search rnn": found.search_params("rnn"),
        "train cnn": found.train_params("cnn"),
        "train rnn": found.train_params("rnn"),
        "train gru": found.train_params("gru"),
        "fuse": found.fuse_params("both"),
        "evaluate": found.evaluate_params("loso"),
        "compare": found.compare_params("loso"),
    }


CHANGES = [
    ("corpora.spoken", {"utterances": 4}, {"corpora"}),
    ("protocols.loso", {"allow": ["text", "session"]}, {"audit"}),
    ("protocols.loso", {"seed": 3}, {"split", "audit"}),
    ("protocols.loso", {"validate": "partner"}, {"split", "audit", "evaluate", "compare"}),
    ("features.fbank", {"bands": 40}, {"feature fbank"}),
    ("systems.cnn", {"training": {"epochs": 3}}, {"train cnn"}),
    ("systems.cnn", {"dropout": 0.1}, {"train cnn"}),
    ("systems.cnn", {"normalise": "none"}, {"search cnn", "train cnn"}),
    ("systems.cnn.search", {"epochs": 3}, {"search cnn"}),
    ("systems.cnn.search", {"shared": True}, set()),
    ("systems.cnn.search", {"retrain": False}, set()),
    ("systems.rnn", {"hidden": 8}, {"search rnn", "train rnn"}),
    ("systems.gru", {"hidden": 8}, {"train gru"}),
    ("systems.both", {"method": "concat"}, {"fuse"}),
    ("systems.both", {"training": {"epochs": 3}}, {"fuse"}),
]


@pytest.mark.parametrize(("path", "values", "expected"), CHANGES)
def test_a_change_of_options_reaches_what_reads_them(document, path, values, expected):
    before = params(document)
    here = document
    for key in path.split("."):
        here = here[key]
    here.update(values)
    after = params(document)
    assert {name for name in before if before[name] != after[name]} == expected


def test_the_runtime_reaches_what_computes(document):
    document["checkpoints"] = {"large": {"address": "https://example.org/wav2vec_large.pt"}}
    document["features"]["wav2vec"] = {"extractor": "wav2vec", "checkpoint": "large"}

    def found():
        return params(document) | {"feature wav2vec": plan(document).feature_params("wav2vec")}

    before = found()
    document["runtime"] = {"torch_threads": 2}
    after = found()
    assert {name for name in before if before[name] != after[name]} == {
        name for name in before if name.startswith(("search", "train", "fuse", "feature wav2vec"))
    }
    threads = {name: plan(document).feature_threads(name) for name in document["features"]}
    assert threads == {"image": 1, "fbank": 1, "wav2vec": 2}


@pytest.mark.parametrize(("method", "reads"), [("darts", True), ("random", False)])
def test_no_utterance_has_a_say_in_a_draw_by_chance(document, method, reads):
    document["systems"]["cnn"]["search"] = {"method": method}
    assert plan(document).search_reads_data("cnn") is reads


def test_a_system_that_is_solved_takes_no_training(document):
    document["systems"]["linear"]["training"] = {"epochs": 3}
    with pytest.raises(EmonasError, match=r"^systems\.linear\.training: is no key here$"):
        plan(document)


def test_a_corpus_to_transfer_to_that_is_not_here_skips_the_transfer_alone(document, tmp_path):
    document["protocols"]["loso"]["transfer"] = {"own": {}}
    found = plan(document)
    assert ("loso", "linear") in found.runs
    assert found.transfers_of("loso") == []
    assert [(entry["protocol"], entry["corpus"]) for entry in found.untransferred] == [
        ("loso", "own")
    ]
    assert found.untransferred[0]["reason"].startswith("corpora.own.root is not given")
    document["roots"] = {"own": str(tmp_path)}
    there = plan(document)
    assert (there.transfers_of("loso"), there.untransferred) == (["own"], [])
    assert there.heard_corpora("loso") == ["spoken", "own"]


def test_a_transfer_is_the_business_of_its_own_rule_and_of_the_audit(document, tmp_path):
    document["roots"] = {"own": str(tmp_path)}
    before = plan(document)
    document["protocols"]["loso"]["transfer"] = {"own": {"map": {"joy": "happy"}}}
    after = plan(document)
    assert after.split_params("loso") == before.split_params("loso")
    assert after.search_params("cnn") == before.search_params("cnn")
    assert after.audit_params("loso") != before.audit_params("loso")
    transfer = after.transfer_params("loso", "own")["options"]["transfer"]
    assert transfer["own"]["map"] == {"joy": "happy"}
