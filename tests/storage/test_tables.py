import os
import re

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emonas.errors import EmonasError
from emonas.storage.tables import line_numbers, read_table, write_rows, write_table

AWKWARD = [
    'a "quoted" name',
    "two\nlines",
    "carriage\rreturn",
    "both\r\n",
    "a, b; c",
    "Jürgen Größe",
    " blank ends ",
    "NA",
    "nan",
    "007",
    "1e5",
    "",
    "#comment",
    "tab\tbed",
    "'",
    "\\n",
]


def test_awkward_text_survives(tmp_path):
    path = tmp_path / "a b" / "tä.csv"
    table = pd.DataFrame({"first": AWKWARD, "with, comma": AWKWARD[::-1]})
    write_table(path, table)
    back = read_table(path, ("first", "with, comma"))
    assert back["first"].tolist() == AWKWARD
    assert back["with, comma"].tolist() == AWKWARD[::-1]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",))), min_size=1
    )
)
def test_any_text_survives(tmp_path_factory, texts):
    path = tmp_path_factory.mktemp("csv") / "t.csv"
    write_table(path, pd.DataFrame({"number": 1, "text": texts}))
    assert read_table(path)["text"].tolist() == texts


def test_an_empty_table_keeps_its_columns(tmp_path):
    write_rows(tmp_path / "t.csv", [], ("a", "b"))
    assert list(read_table(tmp_path / "t.csv", ("a", "b")).columns) == ["a", "b"]
    assert len(read_table(tmp_path / "t.csv")) == 0


def test_floats_come_back_to_the_last_bit(tmp_path):
    numbers = [0.1 + 0.2, 1 / 3, 1e-300, 12345678.9]
    write_rows(tmp_path / "t.csv", ({"x": number} for number in numbers))
    assert [float(x) for x in read_table(tmp_path / "t.csv")["x"]] == numbers


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "no CSV"),
        (b"a,b\n1,2\n1,2,3\n", "no CSV"),
        (b"a,b\n1,2,3\n", "the first row has more cells than the header"),
        (b"a,b\n1,2,3\n4,5,6\n", "the first row has more cells than the header"),
        (b"a,b\n1,2,\n3,4,\n", "the first row has more cells than the header"),
        (b"a,b\n1,2\n3,4,\n", "Expected 2 fields in line 3, saw 3"),
        (b"a,b\n1\n2,3,4\n", "Expected 2 fields in line 3, saw 3"),
        (b"a,b\n\xff\xfe,2\n", "no CSV"),
        (b'a,b\n"open,2\n', "no CSV"),
        (b"a,c\n1,2\n", "column b is missing"),
    ],
)
def test_damage_is_told_with_the_name(tmp_path, content, words):
    (tmp_path / "t.csv").write_bytes(content)
    with pytest.raises(EmonasError, match=rf"t\.csv.*{words}"):
        read_table(tmp_path / "t.csv", ("a", "b"))


def test_a_missing_file_and_a_folder_are_told(tmp_path):
    with pytest.raises(EmonasError, match=r"none\.csv: no such file"):
        read_table(tmp_path / "none.csv")
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(EmonasError, match=r"folder\.csv"):
        read_table(tmp_path / "folder.csv")


def test_a_pipe_is_told(tmp_path):
    os.mkfifo(tmp_path / "t.csv")
    with pytest.raises(EmonasError, match=r"t\.csv: this is a pipe or a device"):
        read_table(tmp_path / "t.csv")


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["", "\n", "  \n", "\r\n"]), st.sampled_from(AWKWARD), st.booleans()
        )
    ),
    st.booleans(),
)
def test_rows_are_at_their_lines(tmp_path_factory, rows, mark):
    """Held against the text that stands before each row, however blank lines and cells break."""
    path, text, lines = tmp_path_factory.mktemp("csv") / "t.csv", "a,b\n", []
    for blank, cell, ended in rows:
        text += blank
        lines.append(1 + len(re.findall("\r\n|\r|\n", text)))
        quoted = cell.replace('"', '""')
        text += f'"{quoted}",1' + ("\r\n" if ended else "\n")
    path.write_bytes(text.encode("utf-8-sig" if mark else "utf-8"))
    assert line_numbers(path, len(read_table(path))) == lines


def test_where_a_cell_is_longer_than_csv_reads_rows_are_counted(tmp_path):
    (tmp_path / "t.csv").write_text("a,b\n" + "x" * 200_000 + ",1\n2,3\n")
    assert line_numbers(tmp_path / "t.csv", 2) == [2, 3]
