import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emonas.errors import EmonasError
from emonas.storage.tables import read_table, write_rows, write_table

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
