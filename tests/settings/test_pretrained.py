"""Weights and transcripts of a settings file: what depends on them, and what is not there."""

import hashlib
from pathlib import Path

import pytest

from emonas.checkpoints.obtain import obtain_checkpoint
from emonas.settings.cards import report_plan
from emonas.settings.load import check_settings
from emonas.settings.plan import Plan

SHA256 = hashlib.sha256(b"weights").hexdigest()


@pytest.fixture
def heard(document, tmp_path, monkeypatch):
    """The document with weights that are there, heard by three systems and a recogniser."""
    monkeypatch.chdir(tmp_path)
    Path("w.pt").write_bytes(b"weights")
    document["checkpoints"] = {"weights": {"path": "w.pt"}, "words": {"file": "model.bin"}}
    monkeypatch.setenv("EMONAS_CHECKPOINTS", str(tmp_path))
    Path("model.bin").write_bytes(b"words")
    document["features"]["deep"] = {"extractor": "whisper", "checkpoint": "weights"}
    document["features"]["said"] = {
        "extractor": "bert",
        "checkpoint": "words",
        "transcript": "recognised",
    }
    document["transcripts"] = {"recognised": {"recogniser": "whisper", "checkpoint": "weights"}}
    for name, layers in {"gru": [10], "rnn": [9], "linear": [2, 10]}.items():
        document["systems"][name]["inputs"] = [{"feature": "deep", "layers": layers}]
    document["recognition"] = [{"transcript": "recognised", "corpora": ["spoken"]}]
    # Whether a package is there is not the question here.
    monkeypatch.setattr("emonas.features.extraction.missing_package", lambda *_: "")
    monkeypatch.setattr("emonas.features.recogniser.missing_package", lambda *_: "")
    return document


def plan(document):
    return Plan(check_settings(document))


def obtain(document, name="weights"):
    """What the job does, with the settings as they are."""
    found = plan(document)
    given = found.pretrained.checkpoint_params(name)["given"]
    record = Path(f"results/checkpoints/{name}.json")
    record.unlink(missing_ok=True)
    obtain_checkpoint(name, found.settings.checkpoints[name], Path(), record, given)


def depending(document):
    """The params of everything that depends on the weights."""
    found = plan(document)
    return (
        found.pretrained.checkpoint_params("weights"),
        found.feature_params("deep"),
        found.feature_params("said"),
        found.transcript_params("recognised"),
    )


def test_layers_are_in_the_order_of_their_numbers_whoever_asks_first(heard):
    assert plan(heard).layers_of("deep") == ["2", "9", "10"]
    digest = plan(heard).feature_digest("deep")
    heard["runs"][0]["systems"].reverse()
    assert plan(heard).feature_digest("deep") == digest


def test_writing_down_what_the_log_advises_verifies_and_extracts_nothing_again(heard):
    obtain(heard)
    before = depending(heard)
    heard["checkpoints"]["weights"].update(sha256=SHA256, size=7)
    assert depending(heard) == before
    obtain(heard)
    after = depending(heard)
    assert after[1:] == before[1:]
    del heard["checkpoints"]["weights"]["sha256"]
    assert depending(heard) == after


@pytest.mark.parametrize("given", [{}, {"sha256": SHA256}])
def test_params_are_the_same_before_and_after_the_job(heard, given):
    heard["checkpoints"]["weights"].update(given)
    before = depending(heard)
    obtain(heard)
    assert depending(heard) == before


def test_another_digest_or_size_verifies_again_and_once_only(heard):
    obtain(heard)
    before, *features = depending(heard)
    for wrong in ({"sha256": "0" * 64}, {"size": 8}):
        heard["checkpoints"]["weights"] = {"path": "w.pt", **wrong}
        again, *same = depending(heard)
        assert again != before
        assert same == features
    Path("w.pt").write_bytes(b"others")
    sha256 = hashlib.sha256(b"others").hexdigest()
    heard["checkpoints"]["weights"] = {"path": "w.pt", "sha256": sha256}
    again = depending(heard)
    assert again[0] != before
    obtain(heard)
    assert depending(heard) == again


def test_another_place_and_a_digest_at_once_verify_once_only(heard):
    obtain(heard)
    before = depending(heard)
    Path("moved.pt").write_bytes(Path("w.pt").read_bytes())
    heard["checkpoints"]["weights"] = {"path": "moved.pt", "sha256": SHA256}
    moved = depending(heard)
    assert moved[0] != before[0]
    obtain(heard)
    assert depending(heard) == moved


def test_other_weights_verify_again(heard):
    before, *features = depending(heard)
    heard["checkpoints"]["weights"]["path"] = "model.bin"
    after, deep, said, transcript = depending(heard)
    assert after != before
    # What extracts reads the record; but nothing in a file of words tells who heard them.
    assert (deep, transcript) == (features[0], features[2])
    assert said != features[1]


def test_a_feature_s_files_are_held_against_the_record_of_its_weights(heard):
    found = plan(heard).feature_paths("gru", ["spoken"])
    assert found["deep"]["checkpoint"] == "results/checkpoints/weights.json"


def test_the_files_in_a_folder_are_inputs(heard):
    for name in ("release/b.bin", "release/units/a.txt", "vectors/spoken/u 1.npy"):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).touch()
    heard["checkpoints"]["weights"]["path"] = "release"
    heard["features"]["own"] = {"extractor": "precomputed", "file": "vectors/{corpus}"}
    found = plan(heard).pretrained
    assert found.checkpoint_files("weights") == ["release/b.bin", "release/units/a.txt"]
    assert found.files_of("own", "spoken") == ["vectors/spoken/u 1.npy"]
    assert found.checkpoint_files("words") == []
    heard["checkpoints"]["weights"]["path"] = "w.pt"
    assert plan(heard).pretrained.checkpoint_files("weights") == ["w.pt"]


def test_own_vectors_that_are_not_there_are_a_reason_to_skip(heard):
    heard["features"]["own"] = {"extractor": "precomputed", "file": "{corpus}.npz"}
    heard["systems"]["linear"]["inputs"] = ["own"]
    found = plan(heard)
    assert ("loso", "linear") not in found.runs
    assert found.skipped[0]["reason"] == (
        "features.own.file: there is no file spoken.npz; correct it, or put the file there"
    )
    Path("spoken.npz").touch()
    assert ("loso", "linear") in plan(heard).runs


def test_weights_that_are_not_there_are_a_reason_to_recognise_nothing(heard):
    assert plan(heard).recognised == [("spoken", "recognised")]
    assert plan(heard).unrecognised == []
    heard["checkpoints"]["weights"]["path"] = "gone.pt"
    found = plan(heard)
    assert found.recognised == []
    reason = "checkpoints.weights.path: there is no file gone.pt; correct it, or put the file there"
    told = {"corpus": "spoken", "transcript": "recognised", "reason": reason}
    assert found.unrecognised == [told]
    shown = report_plan(found, "settings.yaml", "snakemake")
    assert [entry.model_dump() for entry in shown.unrecognised] == [told]
