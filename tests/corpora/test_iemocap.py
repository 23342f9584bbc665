"""The reader on a tree in IEMOCAP's layout."""

from pathlib import Path

import pytest

from emonas.corpora.readers import iemocap


@pytest.fixture
def root(iemocap_tree) -> Path:
    return iemocap_tree


def test_the_speaker_is_the_letter_of_the_last_field(root, written):
    manifest, _ = written(iemocap.Options(root=root))
    assert len(manifest) == 20
    assert set(manifest["speaker"]) == {f"Ses0{i}{letter}" for i in range(1, 6) for letter in "FM"}
    for utterance, row in manifest.iterrows():
        assert row["speaker"] == str(utterance)[:5] + str(utterance).rsplit("_", 1)[1][0]
    man = manifest.loc["Ses01F_impro01_M003"]
    assert (man["speaker"], man["gender"], man["session"]) == ("Ses01M", "male", "1")


def test_labels_styles_and_words(root, written):
    manifest, problems = written(iemocap.Options(root=root))
    improvised = manifest.loc["Ses03F_impro01_M003"]
    scripted = manifest.loc["Ses03M_script01_1b_M001"]
    assert (improvised["emotion"], improvised["style"]) == ("excited", "improvised")
    assert (scripted["emotion"], scripted["style"]) == ("no agreement", "scripted")
    assert improvised["text"] == "These are the words of M003."
    assert improvised["seconds"] == pytest.approx(0.5)
    assert not any(name.startswith("._") for name in problems.index)
    # only the published number of utterances is missed: speakers and sessions are whole
    assert [text.split(" can")[0] for text in problems["problem"]] == ["20 utterances"]


def test_what_is_wrong_with_single_files_is_listed(root, tone, written):
    dialog = root / "Session2" / "sentences" / "wav" / "Ses02F_impro01"
    tone(dialog / "Ses02F_impro01_F099.wav", pitch=999)
    (dialog / "Ses02F_impro01_F000.wav").unlink()
    labels = root / "Session4" / "dialog" / "EmoEvaluation" / "Ses04F_impro01.txt"
    labels.write_text(labels.read_text().replace("\texc\t", "\tjoy\t"))
    (root / "Session5" / "dialog" / "transcriptions" / "Ses05F_impro01.txt").unlink()
    manifest, problems = written(iemocap.Options(root=root))
    assert len(manifest) == 18
    assert "labels it" in problems.loc["Ses02F_impro01_F099.wav", "problem"]
    assert "Ses02F_impro01_F000 has a label" in problems.loc["Ses02F_impro01.txt", "problem"]
    assert "joy" in problems.loc["Ses04F_impro01_M003.wav", "problem"]
    assert problems.loc["Ses05F_impro01_M003.wav", "consequence"] == "used, without a text"
    assert manifest.loc["Ses05F_impro01_M003", "text"] == ""
