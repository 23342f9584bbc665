"""The reader on trees in CaFE's layouts: of the corpus's size as AIFF and wav, and broken ones."""

import unicodedata
from collections import Counter
from pathlib import PurePath

import pytest

from emonas.corpora.readers import cafe

FOLDERS = {
    "C": "Colère",
    "D": "Dégoût",
    "J": "Joie",
    "P": "Peur",
    "S": "Surprise",
    "T": "Tristesse",
}
ENGLISH = {
    "C": "angry",
    "D": "disgusted",
    "J": "happy",
    "N": "neutral",
    "P": "fearful",
    "S": "surprised",
    "T": "sad",
}


def files(actors, suffix):
    """Where the files of some actors lie."""
    for actor in actors:
        for sentence in range(1, 7):
            yield f"Neutre/{actor:02}-N-{sentence}{suffix}"
            for letter, folder in FOLDERS.items():
                yield f"{folder}/Faible/{actor:02}-{letter}-1-{sentence}{suffix}"
                yield f"{folder}/Fort/{actor:02}-{letter}-2-{sentence}{suffix}"


@pytest.fixture(scope="module", params=["aiff", "wav"])
def whole(request, tmp_path_factory, plant):
    """The root of a release with every file: AIFF comes in two parts, wav in one."""
    root = tmp_path_factory.mktemp("CaFE release")
    if request.param == "wav":
        plant(root / "CaFE_48k", files(range(1, 13), ".wav"), 48000)
        stray = root / "CaFE_48k" / "Neutre" / "._01-N-1.wav"
    else:
        plant(root / "CaFE_192k_1", files(range(1, 7), ".aiff"), 192000, "PCM_24")
        plant(root / "CaFE_192k_2", files(range(7, 13), ".aiff"), 192000, "PCM_24")
        stray = root / "CaFE_192k_1" / "Neutre" / "._01-N-1.aiff"
    stray.write_bytes(b"\0\5\x16\7\xff")
    (stray.parent.parent / "Readme.txt").write_text("AA-E-I-S.wav")
    return root


@pytest.mark.parametrize(
    ("options", "weak", "utterances"), [({}, 0, 504), ({"intensity": "all"}, 432, 936)]
)
def test_the_whole_corpus_is_listed(whole, listed, options, weak, utterances):
    manifest, problems = listed(cafe.Options(root=whole, **options))
    assert len(manifest) == utterances
    assert problems.empty
    of_class = 72 + weak // 6
    counts = Counter(manifest["emotion"])
    assert counts.pop("neutral") == 72
    assert counts == dict.fromkeys(set(ENGLISH.values()) - {"neutral"}, of_class)
    styles = {"neutral": 72, "strong": 432} | ({"weak": weak} if weak else {})
    assert Counter(manifest["style"]) == styles
    assert Counter(manifest["speaker"]) == {
        f"{actor:02}": utterances // 12 for actor in range(1, 13)
    }
    assert Counter(manifest["text"]) == dict.fromkeys("123456", utterances // 6)
    assert set(zip(manifest["speaker"], manifest["gender"], strict=True)) == {
        (f"{actor:02}", "female" if actor % 2 == 0 else "male") for actor in range(1, 13)
    }
    assert set(manifest["language"]) == {"fr"}
    assert set(manifest["session"]) == {""}


def test_every_file_has_the_emotion_and_the_intensity_of_its_name(whole, listed):
    manifest, _ = listed(cafe.Options(root=whole, intensity="all"))
    styles = {"1": "weak", "2": "strong"}
    for name, row in manifest.iterrows():
        letter = name.split("-")[1]
        assert row["emotion"] == ENGLISH[letter]
        assert row["style"] == ("neutral" if letter == "N" else styles[name.split("-")[2]])
        assert row["text"] == name[-1]
        assert row["seconds"] == pytest.approx(1 / 16)
    first = manifest.loc["01-C-1-1", "audio"]
    assert "/Colère/Faible/01-C-1-1." in first
    assert set(manifest["sampling_rate"]) == {192000 if first.endswith("aiff") else 48000}


def test_sentences_replace_their_numbers(written, plant, tmp_path):
    plant(tmp_path / "data", ["01-C-2-1.wav", "01-N-6.wav"], 48000)
    options = cafe.Options(root=tmp_path / "data", texts={"1": "Une phrase"})
    manifest, _ = written(options)
    assert dict(manifest["text"]) == {"01-C-2-1": "Une phrase", "01-N-6": "6"}


def test_a_part_of_a_release_says_what_is_missing(written, plant, tmp_path):
    root = tmp_path / "CaFE_192k_1"
    gone = ["03-C-2-4", "03-N-1", "05-T-1-2"]
    names = [name for name in files(range(1, 7), ".wav") if PurePath(name).stem not in gone]
    plant(root, names, 44100)
    for intensity, utterances in (("strong", 250), ("all", 465)):
        manifest, problems = written(cafe.Options(root=root, intensity=intensity))
        assert len(manifest) == utterances
        told = problems[~problems["problem"].str.contains("published")]
        assert set(told["file"]) == {root.as_posix()}
        assert set(told["consequence"]) == {"used, without them"}
        assert list(told["problem"]) == [
            "of actor 03, 03-C-2-4, 03-N-1 are missing; unpack the corpus again",
            *(
                ["of actor 05, 05-T-1-2 is missing; unpack the corpus again"]
                if intensity == "all"
                else []
            ),
            *(
                f"there is no file of actor {actor:02}; unpack the corpus again"
                for actor in range(7, 13)
            ),
        ]
        published = " ".join(problems["problem"])
        assert f"{utterances} utterances can be used, where the published corpus has " in published
        assert "6 speakers can be used, where the published corpus has 12" in published


WRONG = {
    "01-X-2-1": "its emotion X is none of C, D, J, N, P, S, T; rename or remove it",
    "00-C-2-1": "CaFE has no actor 00; rename or remove it",
    "13-N-1": "CaFE has no actor 13; rename or remove it",
    "01-C-2-7": "its sentence 7 is none of 1 to 6; rename or remove it",
    "01-C-2-0": "its sentence 0 is none of 1 to 6; rename or remove it",
    "01-C-3-1": "neutral speech has no intensity, any other 1 or 2; rename or remove it",
    "01-C-1": "neutral speech has no intensity, any other 1 or 2; rename or remove it",
    "01-N-2-1": "neutral speech has no intensity, any other 1 or 2; rename or remove it",
    **dict.fromkeys(
        ("1-C-2-1", "01-c-2-1", "01C21", "01-C-2-1 (copy)", "01-C--1", "hello"),
        "its name is not like CaFE's 01-C-1-1 or 01-N-1; rename or remove it",
    ),
}


def test_names_that_no_file_of_the_corpus_has_are_left_out(written, plant, tmp_path):
    plant(tmp_path / "data", [f"{name}.aiff" for name in [*WRONG, "02-J-2-5"]], 48000)
    manifest, problems = written(cafe.Options(root=tmp_path / "data"))
    assert list(manifest.index) == ["02-J-2-5"]
    left_out = problems[problems["consequence"] == "left out"]
    assert dict(left_out["problem"]) == {f"{name}.aiff": told for name, told in WRONG.items()}


def test_folders_that_contradict_the_names_are_told(written, plant, tmp_path):
    misplaced = {
        "Joie/Fort/01-C-2-1.wav": "it lies in Joie and is named as of emotion C",
        "Colère/Faible/02-C-2-2.wav": "it lies in Faible and is named as strong",
        "Tristesse/Fort/03-N-3.wav": "it lies in Tristesse and is named as of emotion N",
        "Neutre/Fort/04-N-4.wav": "it lies in Fort and is named as neutral",
    }
    weak = {"Peur/Fort/05-P-1-5.wav": "it lies in Fort and is named as weak"}
    rest = ["Peur/Faible/06-P-1-5.wav", "Joie/Fort/Peur of mine/Peur/07-P-2-5.wav", "08-N-1.wav"]
    plant(tmp_path / "Joie", [*misplaced, *weak, *rest], 48000)
    for intensity, utterances in (("strong", 6), ("all", 8)):
        manifest, problems = written(cafe.Options(root=tmp_path / "Joie", intensity=intensity))
        assert len(manifest) == utterances
        told = problems[problems["problem"].str.startswith("it lies")]
        expected = {name: (text, "used, as it is named") for name, text in misplaced.items()}
        for name, text in weak.items():
            expected[name] = (
                (text, "used, as it is named")
                if intensity == "all"
                else (f"{text}; rename or move it", "left out")
            )
        assert {
            row["file"].split("/Joie/", 1)[1]: (row["problem"], row["consequence"])
            for _, row in told.iterrows()
        } == expected
    assert manifest.loc["01-C-2-1", "emotion"] == "angry"
    assert manifest.loc["02-C-2-2", "style"] == "strong"


@pytest.mark.parametrize(
    "anger",
    ["Colère", unicodedata.normalize("NFD", "Colère"), "ColŠre", "Col#U00e8re", "Colere", "rest"],
)
def test_folders_whose_accents_were_damaged_are_known(written, plant, tmp_path, anger):
    plant(tmp_path / "data", [f"{anger}/Fort/01-C-2-1.wav", f"{anger}/Fort/01-D-2-1.wav"], 48000)
    manifest, problems = written(cafe.Options(root=tmp_path / "data"))
    assert list(manifest["emotion"]) == ["angry", "disgusted"]
    told = problems[problems["problem"].str.startswith("it lies")]
    assert list(told.index) == ([] if anger == "rest" else ["01-D-2-1.wav"])


def test_two_releases_below_one_root_are_not_taken_twice(written, plant, tmp_path):
    plant(tmp_path / "data" / "CaFE_192k_1", ["Neutre/01-N-1.aiff"], 192000, "PCM_24")
    plant(tmp_path / "data" / "CaFE_48k", ["Neutre/01-N-1.wav"], 48000)
    manifest, problems = written(cafe.Options(root=tmp_path / "data"))
    assert [path.split("/")[-1] for path in manifest["audio"]] == ["01-N-1.aiff"]
    assert "is there already" in problems.loc["01-N-1.wav", "problem"]


def test_another_corpus_is_not_told_its_missing_files(plant, tmp_path):
    plant(tmp_path / "data", ["dis-f1-b1.wav"], 48000)
    listing = cafe.read(cafe.Options(root=tmp_path / "data"), tmp_path)
    assert listing.recordings == []
    assert [problem.file.split("/")[-1] for problem in listing.problems] == ["dis-f1-b1.wav"]
