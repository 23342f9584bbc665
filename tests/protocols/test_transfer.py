"""Other corpora that every fold's model is tested on."""

import pandas as pd
import pytest
from pydantic import ValidationError

from emonas.errors import EmonasError
from emonas.protocols.audit_job import write_audit
from emonas.protocols.job import write_fold, write_index
from emonas.protocols.options import ProtocolOptions
from emonas.protocols.transfer import label_map
from emonas.protocols.transfer_audit import Elsewhere, audit_transfer
from emonas.protocols.transfer_job import write_transfer
from emonas.storage.audit import read_audit_file
from emonas.storage.digests import write_digest
from emonas.storage.folds import PARTS, read_index, read_part
from emonas.storage.manifest import UNKNOWN_SPEAKER, write_manifest

OWN = ("neutral", "happy", "excited", "sad")
OTHER = ("neutral", "joyful", "sad", "bored")


@pytest.fixture
def manifests(tmp_path, utterance):
    """Four speakers at home; two elsewhere, of whom one only reads."""
    talk = [
        utterance(f"{speaker}-{emotion}", speaker, emotion) for speaker in "abcd" for emotion in OWN
    ]
    there = [
        utterance(
            f"{speaker}-{emotion}-{take}",
            speaker,
            emotion,
            corpus="there",
            style="read" if speaker == "x" else "free",
            digest=f"there-{speaker}-{emotion}-{take}",
        )
        for speaker in "xy"
        for emotion in OTHER
        for take in range(3)
    ]
    paths = {name: tmp_path / name / "manifest.csv" for name in ("talk", "there")}
    write_manifest(paths["talk"], talk)
    write_manifest(paths["there"], there)
    return paths


def options(**there):
    return ProtocolOptions.model_validate(
        {
            "corpora": ["talk"],
            "test": "speaker",
            "labels": ["neutral", "happy", "sad"],
            "merge": {"excited": "happy"},
            "transfer": {"there": there},
        }
    )


def written(manifests, tmp_path, **there):
    path = tmp_path / "transfer" / "there.csv"
    write_transfer("p", options(**there), "there", manifests, path)
    return read_part(path)


def test_every_utterance_of_a_common_class_takes_part_under_its_class_here(manifests, tmp_path):
    table = written(manifests, tmp_path, map={"joyful": "happy"})
    assert len(table) == 2 * 3 * 3
    for row in table.itertuples():
        spoken = row.utterance.split("-")[1]
        assert row.label == {"joyful": "happy"}.get(spoken, spoken)
        assert row.corpus == "there"


def test_without_a_map_names_that_agree_count(manifests, tmp_path):
    assert set(written(manifests, tmp_path)["label"]) == {"neutral", "sad"}


def test_filters_are_those_of_the_other_corpus(manifests, tmp_path):
    table = written(manifests, tmp_path, style="read", limit=2)
    assert sorted(table["utterance"].str[0].unique()) == ["x"]
    assert table["label"].value_counts().to_dict() == {"neutral": 2, "sad": 2}


def test_classes_that_nobody_names_are_those_of_the_own_corpora(manifests, tmp_path):
    plain = ProtocolOptions.model_validate(
        {"corpora": ["talk"], "test": "speaker", "transfer": ["there"]}
    )
    path = tmp_path / "there.csv"
    write_transfer("p", plain, "there", manifests, path)
    assert set(read_part(path)["label"]) == {"neutral", "sad"}


@pytest.mark.parametrize(
    ("given", "emotions", "words"),
    [
        ({"fun": "happy"}, ["joyful", "sad"], "map: no utterance has fun; there are joyful, sad"),
        ({"sad": "low"}, ["joyful", "sad"], "map: turns sad into low, which is no class"),
        ({}, ["joyful", "bored"], "no label is common; the corpus has joyful, bored, the classes"),
    ],
)
def test_maps_that_name_nothing_are_refused(given, emotions, words):
    with pytest.raises(EmonasError) as caught:
        label_map("protocols.p.transfer.there", given, emotions, ["happy", "sad"])
    assert str(caught.value).startswith("protocols.p.transfer.there")
    assert words in str(caught.value)


def test_what_the_settings_alone_show_to_be_wrong():
    with pytest.raises(ValidationError, match=r"transfer\.there\.map turns joyful into glad"):
        options(map={"joyful": "glad"})
    with pytest.raises(ValidationError, match="transfer names talk, which is a corpus of"):
        ProtocolOptions.model_validate(
            {"corpora": ["talk"], "test": "speaker", "transfer": {"talk": {}}}
        )


@pytest.fixture
def audited(manifests, tmp_path):
    """Write the protocol and audit it."""

    def run(chosen):
        root = tmp_path / "protocol"
        write_index("p", chosen, manifests, root / "folds.csv")
        folds = {
            fold: {part: root / fold / f"{part}.csv" for part in PARTS}
            for fold in read_index(root / "folds.csv")["fold"]
        }
        for fold, outputs in folds.items():
            write_fold("p", chosen, manifests, fold, outputs)
        transfer = {"there": root / "transfer" / "there.csv"}
        write_transfer("p", chosen, "there", manifests, transfer["there"])
        write_audit("p", chosen, manifests, folds, transfer, root / "audit.json")
        return read_audit_file(root / "audit.json")

    return run


def test_the_audit_prints_the_map_and_counts(audited):
    audit = audited(options(map={"joyful": "happy"}))
    there = audit.transfer["there"]
    assert there.map == {"joyful": "happy", "neutral": "neutral", "sad": "sad"}
    assert there.labels == {"happy": 6, "neutral": 6, "sad": 6}
    assert there.left_out == {"bored": 6}
    assert (there.utterances, there.speakers) == (18, 2)
    assert "Every fold's model is tested on all of there too." in audit.statement
    # The folds hold their own corpus alone.
    assert audit.folds.keys() == {"speakera", "speakerb", "speakerc", "speakerd"}
    assert all(parts["test"].utterances == 4 for parts in audit.folds.values())


def test_a_recording_that_is_in_both_corpora_is_refused(audited, manifests, utterance):
    table = pd.read_csv(manifests["there"], dtype=str, keep_default_na=False)
    table.loc[table["utterance"] == "x-sad-1", "digest"] = "digest-b-happy"
    table.to_csv(manifests["there"], index=False)
    write_digest(manifests["there"])
    with pytest.raises(EmonasError) as caught:
        audited(options())
    assert "of the recordings of there" in str(caught.value)
    assert "the first is x-sad-1, which is talk: b-happy" in str(caught.value)
    assert "add audio to allow" in str(caught.value)
    allowed = audited(options().model_copy(update={"allow": ("audio",)}))
    assert not allowed.problems
    assert any("which is talk: b-happy" in warning for warning in allowed.warnings)


def test_filters_and_limit_change_what_is_tested_and_not_the_map(audited):
    there = audited(options(map={"joyful": "happy"}, style="read", limit=2)).transfer["there"]
    assert there.map == {"joyful": "happy", "neutral": "neutral", "sad": "sad"}
    assert there.labels == {"happy": 2, "neutral": 2, "sad": 2}
    assert there.left_out == {"bored": 6}
    assert (there.utterances, there.filtered) == (6, 12)


def test_unknown_speakers_are_none(audited, manifests):
    table = pd.read_csv(manifests["there"], dtype=str, keep_default_na=False)
    table.loc[table["speaker"] == "x", "speaker"] = UNKNOWN_SPEAKER
    table.to_csv(manifests["there"], index=False)
    write_digest(manifests["there"])
    assert audited(options()).transfer["there"].speakers == 1


def test_a_list_that_is_not_by_the_map_is_refused(audited, manifests, tmp_path):
    audited(options())
    path = tmp_path / "protocol" / "transfer" / "there.csv"
    table = read_part(path)
    table.loc[0, "label"] = "happy"
    manifest = pd.read_csv(manifests["there"], dtype=str, keep_default_na=False)
    with pytest.raises(EmonasError, match="is listed otherwise than manifest and map have it"):
        audit_transfer("p", Elsewhere(manifest, {"neutral": "neutral", "sad": "sad"}, table))
