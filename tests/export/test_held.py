"""Texts and values held against what they should be."""

import json

import pytest

from emonas.export.held import held_json, held_text


def texts(folder, told, again):
    for name, text in (("told", told), ("again", again)):
        (folder / name).write_text(text, encoding="utf-8")
    return held_text(folder / "told", folder / "again", "file")


@pytest.mark.parametrize(
    ("told", "again"),
    [
        ("<p,,strong,Leaks<,strong,", "<p><strong>Leaks</strong>"),
        ("a|b", "a,b"),
        ("a & b", "a < b"),
        ("one,1.5", "one,1.5,"),
        ("nan", "inf"),
    ],
)
def test_separators_and_words_are_held(tmp_path, told, again):
    assert texts(tmp_path, told, again).wrong


@pytest.mark.parametrize("word", ["nan", "inf", "-Infinity", "1e999"])
def test_a_speaker_called_as_no_number_is_text(tmp_path, word):
    found = texts(tmp_path, f"{word},0.5", f"{word},0.5")
    assert (found.numbers, found.wrong) == (1, [])
    (tmp_path / "told").write_text(json.dumps({"speaker": word, "ua": 0.5}))
    found = held_json(tmp_path / "told", tmp_path / "told", "file")
    assert (found.numbers, found.wrong) == (1, [])


def test_numbers_may_differ_in_their_last_bits(tmp_path):
    assert not texts(tmp_path, "a,0.30000000000000004", "a,0.3").wrong
    assert texts(tmp_path, "a,0.3001", "a,0.3").wrong == [
        "file: line 1 is '0.3001', and '0.3' again"
    ]
