"""A CSV table and a folder a class."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from emonas.corpora.readers import csv, folders
from emonas.errors import EmonasError


def test_a_table_with_two_columns_is_enough(tone, written, tmp_path):
    tone(tmp_path / "my data" / "a" / "one.wav")
    tone(tmp_path / "my data" / "b" / "one.wav", pitch=300)
    table = tmp_path / "my data" / "table.csv"
    table.write_text("audio,emotion\na/one.wav,happy\nb/one.wav,amused\na/gone.wav,sad\n,sad\n")
    manifest, problems = written(csv.Options(table=table))
    assert dict(manifest["emotion"]) == {"a_one": "happy", "b_one": "amused"}
    assert set(manifest["speaker"]) == {"unknown"}
    assert "not there" in problems.loc["gone.wav", "problem"]
    whole = problems.loc[["table.csv"]]
    assert sorted(whole["consequence"])[0] == "left out"
    assert any("4 of 4 rows name no speaker" in text for text in whole["problem"])


def test_a_table_gives_every_column_and_is_relative_to_the_root(tone, written, tmp_path):
    tone(tmp_path / "audio" / "one.wav")
    tone(tmp_path / "audio" / "two.wav", pitch=300)
    table = tmp_path / "table.csv"
    table.write_text(
        "utterance,audio,language,speaker,gender,session,style,text,emotion\n"
        'u1,one.wav,it,anna,female,2,improvised,"Sì, certo.",gio\n'
        "u2,two.wav,it,anna,female,2,improvised,No.,xyz\n"
    )
    options = csv.Options(table=table, root=tmp_path / "audio", labels={"gio": "happy"})
    manifest, problems = written(options)
    row = manifest.loc["u1"]
    assert list(row[["language", "speaker", "gender", "session", "style", "text", "emotion"]]) == [
        "it",
        "anna",
        "female",
        "2",
        "improvised",
        "Sì, certo.",
        "happy",
    ]
    assert "xyz" in problems.loc["two.wav", "problem"]
    assert len(problems) == 1


def test_a_table_that_is_missing_or_lacks_a_column_is_an_error(written, tmp_path):
    table = tmp_path / "table.csv"
    with pytest.raises(EmonasError, match=r"corpora\.mine\.table.*table\.csv"):
        written(csv.Options(table=table))
    table.write_text("audio,label\none.wav,happy\n")
    with pytest.raises(EmonasError, match="column emotion is missing"):
        written(csv.Options(table=table))


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ("a/one.wav,happy,note\n", "the first row has more cells than the header"),
        ("a/one.wav,happy,\n", "the first row has more cells than the header"),
        ("a/one.wav,happy\nb/one.wav,sad,note\n", "Expected 2 fields in line 3, saw 3"),
    ],
)
def test_a_row_with_more_cells_than_columns_shifts_nothing(tone, written, tmp_path, rows, words):
    tone(tmp_path / "a" / "one.wav")
    table = tmp_path / "table.csv"
    table.write_text(f"audio,emotion\n{rows}")
    with pytest.raises(EmonasError, match=rf"table\.csv: .*{words}"):
        written(csv.Options(table=table))


def test_a_line_is_told_as_an_editor_counts_it(tone, written, tmp_path):
    tone(tmp_path / "one.wav")
    table = tmp_path / "table.csv"
    table.write_text('audio,emotion,text\n\n\none.wav,happy,"a\nb"\n  \n,sad,\n\none.wav,,\n')
    _, problems = written(csv.Options(table=table))
    told = " ".join(problems["problem"])
    assert "line 7 names no audio" in told
    assert "line 9 of" in told
    assert "names no emotion" in told


def test_folders_are_classes_and_a_pattern_finds_the_speaker(tone, written, tmp_path):
    root = tmp_path / "mine"
    tone(root / "happy" / "anna 1.wav")
    tone(root / "grumpy" / "deep" / "bert 1.wav", pitch=300)
    tone(root / "grumpy" / "12.wav", pitch=350)
    tone(root / "stray.wav", pitch=400)
    manifest, problems = written(folders.Options(root=root, speaker="^([a-z]+) ", language="en"))
    assert dict(manifest["emotion"]) == {
        "happy_anna 1": "happy",
        "grumpy_deep_bert 1": "grumpy",
        "grumpy_12": "grumpy",
    }
    assert dict(manifest["speaker"]) == {
        "happy_anna 1": "anna",
        "grumpy_deep_bert 1": "bert",
        "grumpy_12": "unknown",
    }
    assert problems.loc["stray.wav", "consequence"] == "left out"
    assert problems.loc["12.wav", "consequence"].startswith("used")


def test_with_labels_an_unknown_folder_is_left_out(tone, written, tmp_path):
    tone(tmp_path / "mine" / "joie" / "1.wav")
    tone(tmp_path / "mine" / "grumpy" / "1.wav", pitch=300)
    manifest, problems = written(folders.Options(root=tmp_path / "mine", labels={"joie": "happy"}))
    assert list(manifest["emotion"]) == ["happy"]
    assert "grumpy" in problems.loc["1.wav", "problem"]


def test_a_pattern_that_does_not_compile_is_refused():
    with pytest.raises(ValidationError, match="no regular expression"):
        folders.Options(speaker="(")


def test_a_table_leads_out_of_its_root_only_where_it_may(tone, written, tmp_path):
    root = tmp_path / "data"
    secret = tone(tmp_path / "secret.wav", pitch=300)
    tone(root / "in" / "one.wav")
    tone(root / "two.wav", pitch=350)
    (root / "linked.wav").symlink_to(secret)
    names = ["in/../two.wav", str(root / "in/one.wav"), "../secret.wav", str(secret), "linked.wav"]
    table = root / "table.csv"
    table.write_text("audio,emotion,speaker\n" + "".join(f"{name},sad,anna\n" for name in names))
    manifest, problems = written(csv.Options(table=table))
    # A link was made by whoever made the folder, and not by the table.
    assert set(manifest.index) == {"two", "in_one", "linked"}
    for line, name in ((4, "../secret.wav"), (5, "secret.wav")):
        row = problems[problems["file"].str.endswith(name)].iloc[0]
        assert row["consequence"] == "left out"
        told = [text for text in problems["problem"] if f"line {line} of" in text]
        assert told == [
            f"line {line} of {table} leads out of {root}; move the file into it, or set "
            "outside: true"
        ]
    manifest, problems = written(csv.Options(table=table, outside=True))
    assert Path(manifest.loc["secret", "audio"]).samefile(secret)
    assert list(problems["problem"].str.contains("there already")) == [True]


def test_blanks_at_the_ends_of_a_name_are_its_own_where_there_is_such_a_file(
    tone, written, tmp_path
):
    tone(tmp_path / " one.wav")
    tone(tmp_path / "two.wav", pitch=300)
    table = tmp_path / "table.csv"
    table.write_text("audio,emotion,speaker\n one.wav,sad,anna\n two.wav ,sad,anna\n")
    manifest, problems = written(csv.Options(table=table))
    assert list(manifest.index) == [" one", "two"]
    assert not len(problems)
