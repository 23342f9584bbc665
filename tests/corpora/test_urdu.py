"""The reader on trees in URDU's layout: one of the corpus's size, and broken ones."""

from collections import Counter

import pytest

from emonas.corpora.readers import urdu

RELEASED = {
    "Angry": "SM1 22, SM2 28, SM3 2, SM4 48",
    "Happy": "SF1 12, SF2 2, SF3 2, SF4 4, SF5 4, SF6 14, SF7 6, SF8 2, SM17 2, SM18 2, SM19 2, "
    "SM3 2, SM5 8, SM6 10, SM7 28",
    "Neutral": "SF9 4, SM20 10, SM21 4, SM22 2, SM3 8, SM5 72",
    "Sad": "SF10 2, SF11 4, SM23 6, SM24 38, SM25 40, SM26 2, SM27 4, SM6 4",
}
"""How many files each speaker has in each emotion, in the order of their numbers."""
COUNTS = {
    folder: {speaker: int(count) for speaker, count in (part.split() for part in parts.split(", "))}
    for folder, parts in RELEASED.items()
}


def files():
    """Where every file lies."""
    for folder, counts in COUNTS.items():
        number = 0
        for speaker, count in counts.items():
            for file in range(1, count + 1):
                number += 1
                yield f"{folder}/{speaker}_F{file}_{folder[0]}0{number}.wav"


@pytest.fixture(scope="module")
def whole(tmp_path_factory, plant):
    """The root of a release with every file."""
    root = tmp_path_factory.mktemp("URDU release") / "URDU-Dataset-master"
    plant(root, files(), 44100)
    (root / "Sad" / "._SM27_F1_S093.wav").write_bytes(b"\0\5\x16\7\xff")
    (root / "README.md").write_text("SGX_FXX_EYY")
    return root


def test_the_whole_corpus_is_listed(whole, listed):
    manifest, problems = listed(urdu.Options(root=whole))
    assert problems.empty
    assert Counter(manifest["emotion"]) == dict.fromkeys(["angry", "happy", "neutral", "sad"], 100)
    assert Counter(manifest["speaker"]) == sum(map(Counter, COUNTS.values()), Counter())
    assert manifest["speaker"].nunique() == 29
    people = manifest.drop_duplicates("speaker")
    assert Counter(people["gender"]) == {"male": 18, "female": 11}
    assert Counter(manifest["gender"]) == {"male": 344, "female": 56}
    for column, value in {"language": "ur", "style": "natural", "text": "", "session": ""}.items():
        assert set(manifest[column]) == {value}
    assert "SM1_F19_A019" in manifest.index
    assert "SM4_F48_A0100" in manifest.index
    for name, row in manifest.iterrows():
        speaker, _, end = name.split("_")
        assert row["speaker"] == speaker
        assert row["gender"] == ("male" if name[1] == "M" else "female")
        assert row["audio"].endswith(f"/{row['emotion'].capitalize()}/{name}.wav")
        assert row["emotion"][0] == end[0].lower()


def test_what_is_missing_is_named(written, plant, tmp_path):
    root = tmp_path / "URDU-Dataset"
    gone = {"Angry/SM1_F19_A019.wav", "Happy/SM7_F28_H0100.wav", "Happy/SF1_F1_H01.wav"}
    plant(root, [name for name in files() if name not in gone and "Neutral" not in name], 44100)
    manifest, problems = written(urdu.Options(root=root))
    assert len(manifest) == 297
    assert list(problems["problem"]) == [
        "of emotion A, A019 is missing; unpack the corpus again",
        "of emotion H, H01, H0100 are missing; unpack the corpus again",
        "there is no file of emotion N; unpack the corpus again",
        "297 utterances can be used, where the published corpus has 400",
        "25 speakers can be used, where the published corpus has 29",
    ]
    assert set(problems["file"]) == {root.as_posix()}
    assert set(problems["consequence"][:3]) == {"used, without them"}


def test_numbers_without_zero_are_those_with_it(written, plant, tmp_path):
    names = [f"{emotion}/SM1_F01_{emotion[0]}{at:02}" for emotion in COUNTS for at in range(1, 101)]
    plant(tmp_path / "data", [f"{name}.wav" for name in names], 44100)
    manifest, problems = written(urdu.Options(root=tmp_path / "data"))
    assert len(manifest) == 400
    assert list(problems["problem"]) == [
        "1 speakers can be used, where the published corpus has 29"
    ]


WRONG = {
    "SM1_F1_B01": "its emotion B is none of A, H, N, S; rename or remove it",
    "SM28_F1_A01": "URDU has no speaker SM28; rename or remove it",
    "SF12_F1_A01": "URDU has no speaker SF12; rename or remove it",
    "SM1_F1_A0101": "its number 101 is none of 1 to 100; rename or remove it",
    "SM1_F1_A00": "its number 0 is none of 1 to 100; rename or remove it",
    **dict.fromkeys(
        ("SX1_F1_A01", "SM0_F1_A01", "SM01_F1_A01", "SM_F1_A01", "SM1_A01", "SM1_F1_a01", "hello"),
        "its name is not like URDU's SM1_F19_A019; rename or remove it",
    ),
}


def test_names_that_no_file_of_the_corpus_has_are_left_out(written, plant, tmp_path):
    plant(tmp_path / "data", [f"{name}.wav" for name in [*WRONG, "SM27_F4_S096"]], 44100)
    manifest, problems = written(urdu.Options(root=tmp_path / "data"))
    assert list(manifest.index) == ["SM27_F4_S096"]
    left_out = problems[problems["consequence"] == "left out"]
    assert dict(left_out["problem"]) == {f"{name}.wav": told for name, told in WRONG.items()}


def test_a_folder_of_another_emotion_is_told(written, plant, tmp_path):
    root = tmp_path / "Sad"
    names = ["Happy/SM1_F1_A01.wav", "Happy/SF1/SF1_F1_H01.wav", "SM20_F1_N05.wav"]
    plant(root, names, 44100)
    manifest, problems = written(urdu.Options(root=root))
    assert list(manifest["emotion"]) == ["happy", "angry", "neutral"]
    told = problems[problems["problem"].str.startswith("it lies")]
    assert list(told.index) == ["SM1_F1_A01.wav"]
    assert list(told.loc["SM1_F1_A01.wav", ["problem", "consequence"]]) == [
        "it lies in Happy and is named as of emotion A",
        "used, as it is named",
    ]
