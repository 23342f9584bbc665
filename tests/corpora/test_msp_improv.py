"""The reader on trees in MSP-IMPROV's layout: one of the corpus's size, and small broken ones."""

import os
from collections import Counter
from itertools import chain

import numpy as np
import pandas as pd
import pytest
import soundfile

from emonas.corpora.job import write_corpus
from emonas.corpora.readers import msp_improv
from emonas.protocols.options import ProtocolOptions
from emonas.protocols.select import read_manifests, select
from emonas.protocols.split import split
from emonas.storage.manifest import read_manifest, read_problems

SPEAKERS = [f"{letter}0{session}" for session in range(1, 7) for letter in "FM"]
SCENARIOS = {
    "T": {"A": 115, "S": 106, "H": 136, "N": 283, "O": 1, "X": 11},
    "R": {"A": 169, "S": 80, "H": 88, "N": 241, "O": 3, "X": 39},
    "S": {"A": 470, "S": 633, "H": 1048, "N": 1789, "O": 70, "X": 371},
    "P": {"A": 38, "S": 66, "H": 1372, "N": 1164, "O": 11, "X": 134},
}
"""Turns by scenario and consensus, as published (Busso et al. 2017)."""
FOUR = ["angry", "happy", "neutral", "sad"]
FIRST = "MSP-IMPROV-S01A-F01-P-FM01"


def turns():
    """Every turn's name and consensus; a turn's position gives each part of its name."""
    for scenario, counts in SCENARIOS.items():
        for position, letter in enumerate(chain(*(key * n for key, n in counts.items()))):
            rest, speaker = divmod(position, 12)
            rest, sentence = divmod(rest, 20)
            turn, intended = divmod(rest, 4)
            name = f"S{sentence + 1:02}{'AHSN'[intended]}-{SPEAKERS[speaker]}-{scenario}"
            yield f"{name}-{'FM' if turn % 2 else 'MF'}{turn + 1:02}", letter


def block(name, letter, values="A:2.800000; V:3.200000; D:3.000000 ; N:3.600000;"):
    """A turn as the label file has it; its raters say other things than their consensus."""
    return (
        f"UTD-IMPROV-{name}.avi; {letter}; {values}\n"
        "CS-001; Angry; Angry,Frustrated; A:2.000000; V:4.000000; D:3.000000; N:4.000000;\n"
        "ptp0312; Other; Other (bored; tired); A:3.000000; V:3.000000; D:NaN; N:3.000000;\n\n"
    )


def place(root, name, wav, audio="Audio"):
    """Link a wav to where the turn belongs."""
    sentence, speaker, scenario, _ = name.split("-")
    folder = root / audio / f"session{speaker[-1]}" / sentence / scenario
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"MSP-IMPROV-{name}.wav"
    os.link(wav, path)
    return path


def short_wav(path, rate=44100):
    path.parent.mkdir(parents=True, exist_ok=True)
    tone = 10000 * np.sin(np.arange(rate // 16) / 30)
    soundfile.write(path, tone.astype(np.int16), rate, subtype="PCM_16")
    return path


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The job's manifest and problems of a tree with every turn of the corpus."""
    folder = tmp_path_factory.mktemp("improv")
    root, wav = folder / "MSP-IMPROV release", short_wav(folder / "a.wav")
    (root / "Text").mkdir(parents=True)
    blocks = []
    for number, (name, letter) in enumerate(turns()):
        path = place(root, name, wav)
        (root / "Text" / f"{path.stem}.txt").write_text(f"Words of\n{name}.\n")
        values = ["A:NaN; V:NaN; D:NaN ; N:NaN;"] if number % 50 == 0 else []
        blocks.append(block(name, letter, *values))
    for stray in (path.with_name(f"._{path.name}"), root / "Text" / f"._{path.stem}.txt"):
        stray.write_bytes(b"\0\5\x16\7\xff")
    (root / "Evalution.txt").write_text("".join(blocks))
    (root / "._Evalution.txt").write_bytes(b"\0\5\x16\7\xff")
    manifest, problems = folder / "manifest.csv", folder / "problems.csv"
    write_corpus("msp", msp_improv.Options(root=root), manifest, problems)
    return manifest, read_problems(problems)


def test_the_whole_corpus_is_listed(whole):
    manifest, problems = read_manifest(whole[0]), whole[1]
    assert len(manifest) == 8438
    assert problems.empty
    four = manifest[manifest["emotion"].isin(FOUR)]
    assert Counter(four["emotion"]) == {"angry": 792, "happy": 2644, "neutral": 3477, "sad": 885}
    assert Counter(four["style"]) == {
        "read": 578,
        "target-improvised": 640,
        "improvised": 3940,
        "natural": 2640,
    }
    assert Counter(manifest["emotion"])["other"] == 85
    assert Counter(manifest["emotion"])["no agreement"] == 555
    assert Counter(manifest["speaker"]) == Counter(name.split("-")[1] for name, _ in turns())
    assert set(manifest["speaker"]) == set(SPEAKERS)
    assert set(zip(manifest["speaker"], manifest["gender"], manifest["session"], strict=True)) == {
        (name, {"F": "female", "M": "male"}[name[0]], name[-1]) for name in SPEAKERS
    }
    assert set(manifest["language"]) == {"en"}


def test_every_turn_has_its_own_consensus_and_words(whole):
    manifest = read_manifest(whole[0]).set_index("utterance")
    styles = {"R": "read", "T": "target-improvised", "S": "improvised", "P": "natural"}
    for name, letter in turns():
        row = manifest.loc[f"MSP-IMPROV-{name}"]
        assert row["emotion"] == msp_improv.EMOTIONS[letter]
        assert row["style"] == styles[name[9]]
        assert row["text"] == f"Words of {name}."
    read = dict(manifest.loc["MSP-IMPROV-S01A-F01-R-MF01"])
    assert read.pop("audio").endswith(
        "MSP-IMPROV release/Audio/session1/S01A/R/MSP-IMPROV-S01A-F01-R-MF01.wav"
    )
    assert len(read.pop("digest")) == 64
    assert read.pop("seconds") == pytest.approx(1 / 16, abs=1e-4)
    assert read == {
        "corpus": "msp",
        "language": "en",
        "speaker": "F01",
        "gender": "female",
        "session": "1",
        "style": "read",
        "text": "Words of S01A-F01-R-MF01.",
        "emotion": "angry",
        "sampling_rate": 44100,
    }


def test_each_speaker_is_tested_and_the_partner_validates(whole):
    options = ProtocolOptions.model_validate(
        {"corpora": "msp", "labels": FOUR, "test": "speaker", "validate": "partner"}
    )
    table = select("p", read_manifests("p", options, {"msp": whole[0]}), options)
    assert len(table) == 7798
    folds = split("p", table, options)
    assert [fold.held_out for fold in folds.values()] == sorted(SPEAKERS)
    for fold in folds.values():
        said = {
            part: {name.split("-")[3] for name in rows["utterance"]}
            for part, rows in fold.parts.items()
        }
        partner = fold.held_out.translate(str.maketrans("FM", "MF"))
        assert said == {
            "test": {fold.held_out},
            "validation": {partner},
            "train": set(SPEAKERS) - {fold.held_out, partner},
        }
        assert sum(map(len, fold.parts.values())) == 7798


SMALL = {"S01A-F01-P-FM01": "N", "S03H-M02-S-FM03": "H", "S20N-F06-T-MF12": "X"}


@pytest.fixture
def small(tmp_path):
    """Makes three turns in one of the layouts; gives the root."""

    def make(audio="Audio", labels="Evalution.txt", rate=48000, text=True):
        root = tmp_path / "small"
        wav = short_wav(tmp_path / "a.wav", rate)
        paths = [place(root, name, wav, audio) for name in SMALL]
        for path in paths if text else ():
            words = root / "Text" / f"{path.stem}.txt"
            words.parent.mkdir(exist_ok=True)
            words.write_text("Yes.")
        file = root / labels
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(
            "".join(block(*turn) for turn in SMALL.items()).replace("\n", "\r\n").encode()
        )
        return root

    return make


@pytest.mark.parametrize("audio", ["Audio", "."])
@pytest.mark.parametrize(
    "labels",
    ["Evalution.txt", "Evaluation.txt", "labels of raters/Evalution.txt", "Audio/Evaluation.txt"],
)
def test_layouts_of_releases(small, written, audio, labels):
    root = small(audio, labels)
    manifest, problems = written(msp_improv.Options(root=root))
    found = {name: manifest.loc[f"MSP-IMPROV-{name}", "emotion"] for name in SMALL}
    assert list(found.values()) == ["neutral", "happy", "no agreement"]
    # what is missed of the published numbers, and nothing else: neither rate is unusual
    assert [text.split(" can")[0] for text in problems["problem"]] == [
        "3 utterances",
        "3 speakers",
        "3 sessions",
    ]


@pytest.mark.parametrize("rate", [44100, 48000, 16000])
def test_releases_at_another_rate(small, tmp_path, written, rate):
    root = small(rate=rate)
    assert not written(msp_improv.Options(root=root))[1]["problem"].str.contains("Hz").any()
    odd = root / "Audio/session1/S01A/P" / f"{FIRST}.wav"
    odd.unlink()
    short_wav(odd, 32000)
    problem = written(msp_improv.Options(root=root))[1].loc[odd.name, "problem"]
    assert problem == f"its rate is 32000 Hz, where the corpus has {rate} Hz"


def test_what_is_wrong_with_single_files_is_listed(small, written):
    root = small()
    folder = root / "Audio/session1/S01A/P"
    wav = folder / f"{FIRST}.wav"
    wrong = ["S01A-F07-P-FM01", "S01B-F01-P-FM01", "S01A-F01-Q-FM01", "S1A-F01-P-FM01", "S01A-F01"]
    for name in wrong:
        os.link(wav, folder / f"MSP-IMPROV-{name}.wav")
    os.link(wav, folder / "MSP-IMPROV-S01A-F01-P-MF02.wav")
    os.link(wav, folder / "MSP-IMPROV-S01A-F01-P-MF03.wav")
    labels = root / "Evalution.txt"
    with labels.open("a") as file:
        file.write(block("S01A-F01-P-MF03", "Z") + block("S09S-M04-R-MM01", "S"))
        # a turn of another's name in a rater's line labels nothing
        file.write("UTD-1; Happy; see S01A-F01-P-MF02; A:1.0; V:1.0; D:1.0; N:1.0;\n")
    (root / "Text" / "MSP-IMPROV-S03H-M02-S-FM03.txt").unlink()
    (root / "Text" / "MSP-IMPROV-S20N-F06-T-MF12.txt").write_text(" \n")
    manifest, problems = written(msp_improv.Options(root=root))
    assert len(manifest) == 3
    told = problems[~problems["problem"].str.contains("published")]
    silent = {"MSP-IMPROV-S03H-M02-S-FM03.wav", "MSP-IMPROV-S20N-F06-T-MF12.wav"}
    misnamed = {f"MSP-IMPROV-{name}.wav" for name in wrong}
    assert set(told.index) == misnamed | silent | {
        "MSP-IMPROV-S01A-F01-P-MF02.wav",
        "MSP-IMPROV-S01A-F01-P-MF03.wav",
        "Evalution.txt",
    }
    assert set(told.loc[sorted(misnamed), "problem"]) == {
        f"its name is not like {FIRST}; rename or remove it"
    }
    for name in silent:
        assert told.loc[name, "problem"] == "no file in Text has its words"
        assert told.loc[name, "consequence"] == "used, without a text"
        assert manifest.loc[name.removesuffix(".wav"), "text"] == ""
    assert (told.loc[~told.index.isin(silent), "consequence"] == "left out").all()
    assert told.loc["MSP-IMPROV-S01A-F01-P-MF02.wav", "problem"] == (
        f"{labels.as_posix()} does not label it; copy that file again"
    )
    assert told.loc["MSP-IMPROV-S01A-F01-P-MF03.wav", "problem"] == (
        f"{labels.as_posix()} gives it the label Z, which is none of A, H, S, N, O, X; "
        "correct it there"
    )
    assert told.loc["Evalution.txt", "problem"] == (
        "MSP-IMPROV-S09S-M04-R-MM01 has a label and no wav; unpack the wavs again"
    )


def test_a_release_without_transcripts_is_noted_once(small, written):
    manifest, problems = written(msp_improv.Options(root=small(text=False)))
    assert set(manifest["text"]) == {""}
    assert list(problems.loc["Text"]) == [
        problems.loc["Text", "file"],
        "there is no such folder of transcripts",
        "used, without texts",
    ]
    assert not problems["problem"].str.contains("no file in Text").any()


@pytest.mark.parametrize("missing", ["labels", "sessions"])
def test_a_root_that_is_none(small, missing, tmp_path):
    root = small()
    if missing == "labels":
        (root / "Evalution.txt").unlink()
        told = "it holds no Evalution.txt or Evaluation.txt; copy the labels there"
    else:
        (root / "Audio").rename(root / "Sound")
        told = (
            "it holds no wav in folders session1 to session6, nor in Audio; "
            "give the folder that holds them as root"
        )
    listing = msp_improv.read(msp_improv.Options(root=root), tmp_path)
    assert listing.recordings == []
    assert [(problem.file, problem.problem) for problem in listing.problems] == [
        (root.as_posix(), told)
    ]


def test_the_published_counts_are_those_of_the_four_classes():
    table = pd.DataFrame(SCENARIOS)
    assert int(table.to_numpy().sum()) == msp_improv.EXPECTED.utterances
    assert int(table.loc[list("AHNS")].to_numpy().sum()) == 7798


def test_what_contradicts_itself_is_told(small, written):
    small = small()
    label_file = next(small.glob("Eval*.txt"))
    block = label_file.read_text().split("\n\n")[0]
    name = block.split(".avi")[0].replace("UTD", "MSP")
    letter = block.split(";")[1].strip()
    other = "S" if letter != "S" else "H"
    twice = block.replace(f"; {letter};", f"; {other};", 1)
    label_file.write_text(f"{label_file.read_text()}\n\n{twice}\n")
    (wav,) = small.rglob(f"{name}.wav")
    elsewhere = small / "Audio" / "session6" / wav.parent.parent.name / wav.parent.name / wav.name
    elsewhere.parent.mkdir(parents=True, exist_ok=True)
    wav.rename(elsewhere)
    manifest, problems = written(msp_improv.Options(root=small))
    assert manifest.loc[name, "emotion"] == msp_improv.EMOTIONS[letter]
    assert manifest.loc[name, "session"] == "1"
    told = " ".join(problems["problem"])
    assert f"labels {name} twice, differently" in told
    assert "it lies in session6 and is named as of session 1" in told
