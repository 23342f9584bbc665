"""Texts and values held against what they should be."""

import json

import pytest

from emonas.export.held import held_json, held_text


def texts(folder, told, again, suffix="csv"):
    said, wanted = folder / f"told.{suffix}", folder / f"again.{suffix}"
    said.write_text(told, encoding="utf-8")
    wanted.write_text(again, encoding="utf-8")
    return held_text(said, wanted, "file")


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


@pytest.mark.parametrize("other", ["7_8.3", "+ 78.3", "７８.3", "7.83 e1"])
def test_what_only_python_takes_for_a_number_is_text(tmp_path, other):
    assert texts(tmp_path, f"a,{other}", "a,78.3").wrong


@pytest.mark.parametrize("suffix", ["html", "md", "tex"])
def test_numbers_that_are_rounded_are_the_same_to_the_sign(tmp_path, suffix):
    assert texts(tmp_path, "<td>+78.3</td>", "<td>78.3</td>", suffix).wrong
    assert texts(tmp_path, "<td>78.300</td>", "<td>78.3</td>", suffix).wrong
    assert texts(tmp_path, "<td>78.3</td>", "<td>78.3</td>", suffix).numbers == 1


def test_a_text_in_json_is_no_number(tmp_path):
    told, again = tmp_path / "told", tmp_path / "again"
    again.write_text(json.dumps({"ua": 0.5, "fold": "1"}))
    for other in ({"ua": "0.5", "fold": "1"}, {"ua": 0.5, "fold": "01"}, {"ua": 0.5, "fold": 1}):
        told.write_text(json.dumps(other))
        assert len(held_json(told, again, "file").wrong) == 1


def test_numbers_may_differ_in_their_last_bits(tmp_path):
    assert not texts(tmp_path, "a,0.30000000000000004", "a,0.3").wrong
    assert texts(tmp_path, "a,0.3001", "a,0.3").wrong == [
        "file: line 1 is '0.3001', and '0.3' again"
    ]
