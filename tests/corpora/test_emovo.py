"""The reader on trees in EMOVO's layout: one of the corpus's size, and broken ones."""

from collections import Counter

import pytest

from emonas.corpora.readers import emovo

ENGLISH = {
    "dis": "disgusted",
    "gio": "happy",
    "neu": "neutral",
    "pau": "fearful",
    "rab": "angry",
    "sor": "surprised",
    "tri": "sad",
}
SPEAKERS = ["f1", "f2", "f3", "m1", "m2", "m3"]
SENTENCES = ["b1", "b2", "b3", "l1", "l2", "l3", "l4", "n1", "n2", "n3", "n4", "n5", "d1", "d2"]
FILES = [
    f"{speaker}/{emotion}-{speaker}-{sentence}.wav"
    for speaker in SPEAKERS
    for emotion in ENGLISH
    for sentence in SENTENCES
]


@pytest.fixture(scope="module")
def whole(tmp_path_factory, plant):
    """The root of a release with every file."""
    root = tmp_path_factory.mktemp("EMOVO release") / "EMOVO"
    plant(root, FILES, 48000)
    (root / "f1" / "._dis-f1-b1.wav").write_bytes(b"\0\5\x16\7\xff")
    (root / "documents").mkdir()
    (root / "documents" / "La struttura di EMOVO.pdf").write_text("Struttura")
    return root


def test_the_whole_corpus_is_listed(whole, listed):
    manifest, problems = listed(emovo.Options(root=whole))
    assert len(manifest) == 588
    assert problems.empty
    assert Counter(manifest["emotion"]) == dict.fromkeys(ENGLISH.values(), 84)
    assert Counter(manifest["speaker"]) == dict.fromkeys(SPEAKERS, 98)
    assert Counter(manifest["text"]) == dict.fromkeys(SENTENCES, 42)
    assert set(zip(manifest["speaker"], manifest["gender"], strict=True)) == {
        (speaker, {"f": "female", "m": "male"}[speaker[0]]) for speaker in SPEAKERS
    }
    for column, value in {"language": "it", "style": "scripted", "session": ""}.items():
        assert set(manifest[column]) == {value}
    for name, row in manifest.iterrows():
        emotion, speaker, sentence = name.split("-")
        assert (row["emotion"], row["speaker"], row["text"]) == (
            ENGLISH[emotion],
            speaker,
            sentence,
        )
        assert row["audio"].endswith(f"/EMOVO/{speaker}/{name}.wav")


def test_sentences_replace_their_codes(written, plant, tmp_path):
    plant(tmp_path / "data", ["dis-f1-b1.wav", "tri-m3-n5.wav"], 48000)
    manifest, _ = written(emovo.Options(root=tmp_path / "data", texts={"b1": "Una frase"}))
    assert dict(manifest["text"]) == {"dis-f1-b1": "Una frase", "tri-m3-n5": "n5"}


def test_what_is_missing_is_named(written, plant, tmp_path):
    gone = {"rab-f2-l4", "dis-m1-b1", "tri-m1-n5"}
    names = [
        name
        for name in FILES
        if not name.startswith("m3/") and name.split("/")[1].removesuffix(".wav") not in gone
    ]
    root = tmp_path / "EMOVO"
    plant(root, names, 16000)
    manifest, problems = written(emovo.Options(root=root))
    assert len(manifest) == 588 - 98 - 3
    assert list(problems["problem"]) == [
        "of speaker f2, rab-f2-l4 is missing; unpack the corpus again",
        "of speaker m1, dis-m1-b1, tri-m1-n5 are missing; unpack the corpus again",
        "there is no file of speaker m3; unpack the corpus again",
        "487 utterances can be used, where the published corpus has 588",
        "5 speakers can be used, where the published corpus has 6",
    ]
    assert set(problems["file"]) == {root.as_posix()}
    assert set(problems["consequence"][:3]) == {"used, without them"}


WRONG = {
    "ira-f1-b1": "its emotion ira is none of dis, gio, neu, pau, rab, sor, tri; "
    "rename or remove it",
    "dis-f4-b1": "EMOVO has no speaker f4; rename or remove it",
    "dis-m0-b1": "EMOVO has no speaker m0; rename or remove it",
    "dis-x1-b1": "EMOVO has no speaker x1; rename or remove it",
    **{
        f"dis-f1-{sentence}": f"its sentence {sentence} is none of b1, b2, b3, d1, d2, l1, l2, l3, "
        "l4, n1, n2, n3, n4, n5; rename or remove it"
        for sentence in ("b4", "l0", "n6", "a1")
    },
    **dict.fromkeys(
        ("dis-f1", "dis-f1-b1 (1)", "disf1b1", "dis-f1-b10", "Dis-f1-b1", "hello"),
        "its name is not like EMOVO's dis-f1-b1; rename or remove it",
    ),
}


def test_names_that_no_file_of_the_corpus_has_are_left_out(written, plant, tmp_path):
    plant(tmp_path / "data", [f"{name}.wav" for name in [*WRONG, "gio-m2-d2"]], 48000)
    manifest, problems = written(emovo.Options(root=tmp_path / "data"))
    assert list(manifest.index) == ["gio-m2-d2"]
    left_out = problems[problems["consequence"] == "left out"]
    assert dict(left_out["problem"]) == {f"{name}.wav": told for name, told in WRONG.items()}


def test_a_folder_of_another_speaker_is_told(written, plant, tmp_path):
    root = tmp_path / "m2"
    plant(root, ["m1/dis-f1-b1.wav", "f2/gio-f2-b2.wav", "mine/neu-m3-b3.wav"], 48000)
    manifest, problems = written(emovo.Options(root=root))
    assert dict(manifest["speaker"]) == {"dis-f1-b1": "f1", "gio-f2-b2": "f2", "neu-m3-b3": "m3"}
    told = problems[problems["problem"].str.startswith("it lies")]
    assert list(told.index) == ["dis-f1-b1.wav"]
    assert list(told.loc["dis-f1-b1.wav", ["problem", "consequence"]]) == [
        "it lies in m1 and is named as of speaker f1",
        "used, as it is named",
    ]


def test_another_rate_is_told(written, plant, tmp_path):
    plant(tmp_path / "data", ["dis-f1-b1.wav"], 48000)
    plant(tmp_path / "data", ["dis-f1-b2.wav"], 44100)
    _, problems = written(emovo.Options(root=tmp_path / "data"))
    problem = problems.loc["dis-f1-b2.wav", "problem"]
    assert problem == "its rate is 44100 Hz, where the corpus has 48000 Hz"
    assert "dis-f1-b1.wav" not in problems.index
