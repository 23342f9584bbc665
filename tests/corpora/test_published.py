"""The real corpora, where they are at hand."""

from collections import Counter
from pathlib import Path

import pytest

from emonas.corpora.readers import emodb, ravdess

SHARED = Path(__file__).parents[2].parent / "shared" / "corpora"


@pytest.mark.skipif(not (SHARED / "emodb").is_dir(), reason="EmoDB is not at hand")
def test_emodb_has_its_published_counts(written):
    manifest, problems = written(emodb.Options(root=SHARED / "emodb"))
    assert Counter(manifest["emotion"]) == {
        "angry": 127,
        "bored": 81,
        "disgusted": 46,
        "fearful": 69,
        "happy": 71,
        "sad": 62,
        "neutral": 79,
    }
    assert manifest["speaker"].nunique() == 10
    assert manifest["text"].nunique() == 10
    men = set(manifest.loc[manifest["gender"] == "male", "speaker"])
    assert men == {"03", "10", "11", "12", "15"}
    disgusted = manifest.loc[manifest["emotion"] == "disgusted", "speaker"]
    assert "08" not in set(disgusted)
    assert set(manifest["sampling_rate"]) == {16000}
    assert problems.empty


@pytest.mark.skipif(not (SHARED / "ravdess").is_dir(), reason="RAVDESS is not at hand")
def test_ravdess_has_its_published_counts(written):
    manifest, problems = written(ravdess.Options(root=SHARED / "ravdess"))
    counts = Counter(manifest["emotion"])
    assert counts.pop("neutral") == 96
    assert set(counts.values()) == {192}
    assert len(counts) == 7
    assert manifest["speaker"].nunique() == 24
    assert manifest.loc["03-01-05-01-02-01-11", "gender"] == "male"
    assert problems.empty


def test_a_part_of_a_corpus_is_used_and_noted(tone, written, tmp_path):
    root = tmp_path / "my data"
    tone(root / "wav" / "03a01Fa.wav")
    tone(root / "wav" / "08b10Nb.wav", pitch=300)
    manifest, problems = written(emodb.Options(root=root, texts={"a01": "Der Satz."}))
    assert list(manifest.index) == ["03a01Fa", "08b10Nb"]
    assert list(manifest["text"]) == ["Der Satz.", "b10"]
    assert any("2 utterances" in text and "535" in text for text in problems["problem"])


def test_names_that_no_emodb_file_has_are_left_out(tone, written, tmp_path):
    for pitch, name in enumerate(("03a01Fa", "03a01Xa", "99a01Fa", "hello"), start=200):
        tone(tmp_path / "data" / f"{name}.wav", pitch=pitch)
    manifest, problems = written(emodb.Options(root=tmp_path / "data"))
    assert list(manifest.index) == ["03a01Fa"]
    assert "X" in problems.loc["03a01Xa.wav", "problem"]
    assert "99" in problems.loc["99a01Fa.wav", "problem"]
    assert problems.loc["hello.wav", "consequence"] == "left out"


def test_ravdess_takes_speech_and_leaves_song(tone, written, tmp_path):
    tone(tmp_path / "data" / "Actor_02" / "03-01-06-01-02-01-02.wav", rate=48000)
    tone(tmp_path / "data" / "Actor_02" / "03-02-06-01-02-01-02.wav", pitch=300)
    manifest, problems = written(ravdess.Options(root=tmp_path / "data"))
    row = manifest.loc["03-01-06-01-02-01-02"]
    assert (row["emotion"], row["gender"], row["sampling_rate"]) == ("fearful", "female", 48000)
    assert len(manifest) == 1
    assert "speech" in problems.loc["03-02-06-01-02-01-02.wav", "problem"]
    assert not any("rate" in text for text in problems["problem"])
