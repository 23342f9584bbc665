import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from emonas.errors import EmonasError
from emonas.evaluate.recognition import evaluate_recognition
from emonas.storage.manifest import UNKNOWN_SPEAKER, Utterance, write_manifest
from emonas.storage.recognition import Recognition, read_recognition, write_recognition
from emonas.storage.transcripts import write_transcript
from emonas.storage.wording import NORMALISATION, normalised


def distance(reference: list[str] | str, heard: list[str] | str) -> int:
    """Edits between two sequences, by the recursion of Levenshtein."""
    row = list(range(len(heard) + 1))
    for i, wanted in enumerate(reference, start=1):
        previous, row[0] = row[0], i
        for j, given in enumerate(heard, start=1):
            edits = min(row[j] + 1, row[j - 1] + 1, previous + (wanted != given))
            previous, row[j] = row[j], edits
    return row[-1]


def evaluated(folder: Path, said: dict[str, str], heard: dict[str, str]) -> Recognition:
    rows = [
        Utterance(name, "a.wav", "c", "de", "s", "", "", "", text, "sad", 1.0, 16000, "")
        for name, text in said.items()
    ]
    write_manifest(folder / "manifest.csv", rows)
    write_transcript(folder / "heard.csv", heard)
    output = folder / "results" / "rates.json"
    evaluate_recognition(folder / "manifest.csv", folder / "heard.csv", output)
    return read_recognition(output)


def test_rates_are_summed_edits_by_summed_lengths(tmp_path: Path) -> None:
    said = {
        "a": "Das will sie am Mittwoch abgeben.",
        "b": "Heute Abend könnte ich es ihm sagen!",
        "c": "Ja.",
        "d": "",
        "e": "...",
        "f": "Er fehlt",
    }
    heard = {
        "a": "das will SIE am mittwoch abgeben",
        "b": "Heute, am Abend: konnte ich ihm sagen",
        "c": "Ja, ja, ja, ja.",
        "d": "nobody knows",
        "f": "",
    }
    rates = evaluated(tmp_path, said, heard)
    pairs = [(normalised(said[name]), normalised(heard[name])) for name in "abcf"]
    words = sum(len(reference.split()) for reference, _ in pairs)
    edits = sum(distance(reference.split(), text.split()) for reference, text in pairs)
    characters = sum(len(reference) for reference, _ in pairs)
    assert (rates.utterances, rates.without_text) == (4, 2)
    assert (rates.words, rates.characters) == (words, characters) == (16, 77)
    assert rates.wer == pytest.approx(edits / words)
    assert rates.cer == pytest.approx(sum(distance(*pair) for pair in pairs) / characters)
    assert (rates.substitutions, rates.deletions, rates.insertions) == (1, 3, 4)
    assert edits == 8
    assert rates.normalisation == NORMALISATION


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Können  wir — HEUTE?", "können wir heute"),
        ("don't\u2009won\u2019t", "dont wont"),
        ("well-known, e.g. 20%", "well known e g 20"),
        ("♪ la ♪", "la"),
        ("Straße", "strasse"),
        ("U\u0308ber", "über"),
        (" … ", ""),
    ],
)
def test_case_and_punctuation_do_not_count(text: str, expected: str) -> None:
    assert normalised(text) == expected


def test_a_corpus_without_texts_and_a_short_transcript_are_told(tmp_path: Path) -> None:
    with pytest.raises(EmonasError, match=r"manifest\.csv: no utterance has a text"):
        evaluated(tmp_path, {"a": "", "b": "?"}, {"a": "x", "b": "y"})
    with pytest.raises(EmonasError, match=r"heard\.csv: holds no utterance b; make it again"):
        evaluated(tmp_path, {"a": "x", "b": "y"}, {"a": "x"})
    assert not (tmp_path / "results").exists()


RATES = Recognition(1.5, 0.25, 1, 2, 3, 4, 20, 2, 0, "none")


def test_rates_come_back(tmp_path: Path) -> None:
    write_recognition(tmp_path / "r.json", RATES)
    assert read_recognition(tmp_path / "r.json") == RATES
    assert json.loads((tmp_path / "r.json").read_text())["wer"] == 1.5


def test_damaged_rates_are_told(tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    with pytest.raises(EmonasError, match=r"r\.json: no error rates"):
        read_recognition(path)
    write_recognition(path, replace(RATES, words=-1))
    with pytest.raises(EmonasError, match=r"r\.json: no error rates \(words: .*make it again"):
        read_recognition(path)
    path.write_text('{"wer": 0.1}')
    with pytest.raises(EmonasError, match=r"r\.json: no error rates"):
        read_recognition(path)


def test_rates_need_no_torch() -> None:
    program = "import sys, emonas.evaluate.recognition; print('torch' in sys.modules)"
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "False"


def test_the_intervals_draw_speakers(tmp_path: Path) -> None:
    """Of five who are heard alike, nothing depends on who was drawn; unknown ones are not drawn."""
    for speaker in ("s{}", UNKNOWN_SPEAKER):
        write_manifest(
            tmp_path / "m.csv",
            [
                Utterance(
                    *(f"u{number}", "a.wav", "c", "en", speaker.format(number), "", "", ""),
                    *("we go home", "sad", 1.0, 16000, ""),
                )
                for number in range(5)
            ],
        )
        write_transcript(tmp_path / "t.csv", {f"u{number}": "we go" for number in range(5)})
        evaluate_recognition(tmp_path / "m.csv", tmp_path / "t.csv", tmp_path / "r.json")
        found = read_recognition(tmp_path / "r.json")
        known = speaker != UNKNOWN_SPEAKER
        assert found.wer == pytest.approx(1 / 3)
        assert found.wer_interval == (pytest.approx((1 / 3, 1 / 3)) if known else None)
        assert found.cer_interval == (pytest.approx((0.5, 0.5)) if known else None)
