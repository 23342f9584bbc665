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


@pytest.mark.parametrize("end", ["\u2028", "\r", "\x0b", "\x85"])
def test_lines_end_where_readers_of_a_table_end_them(tmp_path, end):
    assert texts(tmp_path, f"system,ua{end}rnn,0.5{end}", "system,ua\nrnn,0.5\n").wrong


def test_a_text_in_no_utf_8_is_named(tmp_path):
    (tmp_path / "told.csv").write_bytes(b"a,\xff")
    (tmp_path / "again.csv").write_text("a,b")
    (said,) = held_text(tmp_path / "told.csv", tmp_path / "again.csv", "file").wrong
    assert said.startswith("file: is no text in UTF-8 (")


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ('{"ua": [1, 2, null]}', "file: ua[2] is None, and missing again"),
        ('{"ua": [1, 2], "x": null}', "file: x is None, and missing again"),
        ('{"ua": [1]}', "file: ua[1] is missing, and 2 again"),
        ('{"ua": [9], "ua": [1, 2]}', "file: has the key ua twice"),
        ('{"ua": [{"a": 1, "a": 2}, 2]}', "file: has the key a twice"),
        ("[" * 200_000, "file: is nested too deeply"),
        ("[1, 2", "file: is no JSON ("),
        ("\udcff", "file: is no JSON ("),
    ],
    ids=["added entry", "added key", "missing", "twice", "twice within", "deep", "cut", "bytes"],
)
def test_json_is_what_every_reader_sees(tmp_path, told, said):
    (tmp_path / "told").write_text(told, encoding="utf-8", errors="surrogateescape")
    (tmp_path / "again").write_text('{"ua": [1, 2]}')
    (found,) = held_json(tmp_path / "told", tmp_path / "again", "file").wrong
    assert found.startswith(said)
