"""A protocol's folds and audit held against its manifest."""

import json

import pytest

from emonas.export.held_folds import protocol_differs
from emonas.protocols.audit_job import write_audit
from emonas.protocols.job import write_fold, write_index
from emonas.protocols.options import ProtocolOptions
from emonas.storage.folds import (
    PARTS,
    read_index,
    read_part,
    write_part,
)
from emonas.storage.folds import (
    write_index as write_folds,
)
from emonas.storage.manifest import Utterance, write_manifest


def utterance(name, speaker, emotion):
    return Utterance(
        corpus="talk",
        utterance=name,
        audio="",
        emotion=emotion,
        language="en",
        speaker=speaker,
        gender="",
        session="",
        style="",
        text="",
        seconds=1.0,
        sampling_rate=16000,
        digest=f"digest of {name}",
    )


@pytest.fixture
def made(tmp_path):
    """A protocol of three speakers, with one emotion merged into another, and what holds it."""
    rows = [
        utterance(f"{speaker}{emotion}", speaker, emotion)
        for speaker in "abc"
        for emotion in ("sad", "happy", "excited")
    ]
    options = ProtocolOptions.model_validate(
        {"corpora": ["talk"], "test": "speaker", "merge": {"excited": "happy"}}
    )
    manifests, root = {"talk": tmp_path / "manifest.csv"}, tmp_path / "p"
    write_manifest(manifests["talk"], rows)
    write_index("p", options, manifests, root / "folds.csv")
    names = read_index(root / "folds.csv")["fold"]
    folds = {fold: {part: root / fold / f"{part}.csv" for part in PARTS} for fold in names}
    for fold, outputs in folds.items():
        write_fold("p", options, manifests, fold, outputs)
    write_audit("p", options, manifests, folds, {}, root / "audit.json")
    return folds, root, lambda: list(protocol_differs("p", options, manifests, root))


def test_an_honest_protocol_differs_in_nothing(made):
    assert made[2]() == []


def test_labels_that_are_exchanged_are_named(made):
    """By a forger whose counts stay as they are."""
    folds, _, differences = made
    fold, places = next(iter(folds.items()))
    part = read_part(places["test"])
    happy, sad = part.index[part["label"] == "happy"][0], part.index[part["label"] == "sad"][0]
    part.loc[[happy, sad], "label"] = ["sad", "happy"]
    write_part(places["test"], part)
    (said,) = differences()
    assert said.startswith(f"results/protocols/p/{fold}/test.csv: label of ")
    assert said.endswith(" by its manifest and the protocol")


def test_another_audit_is_named(made):
    _, root, differences = made
    audit = json.loads((root / "audit.json").read_text())
    fold = next(iter(audit["folds"]))
    audit["folds"][fold]["test"]["speakers"] = {"nobody": 3}
    audit["warnings"] = ["all is well"]
    (root / "audit.json").write_text(json.dumps(audit))
    places = {said.split(" is ")[0] for said in differences()}
    assert f"results/protocols/p/audit.json: folds.{fold}.test.speakers.nobody" in places
    assert "results/protocols/p/audit.json: warnings[0]" in places


def test_another_count_of_a_part_is_named(made):
    folds, root, differences = made
    index = read_index(root / "folds.csv")
    index.loc[0, "train"] += 1
    write_folds(root / "folds.csv", index)
    assert differences() == [
        f"results/protocols/p/folds.csv: {next(iter(folds))} has not 4 in train"
    ]
