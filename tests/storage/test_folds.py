import pandas as pd
import pytest

from emonas.errors import EmonasError
from emonas.storage.folds import read_index, read_part, write_index, write_part


def part(*names, corpus="toy"):
    return pd.DataFrame(
        {"utterance": names, "corpus": corpus, "label": "sad", "domain": "", "x": 1}
    )


def test_a_part_comes_back_sorted_and_without_other_columns(tmp_path):
    names = ["b, c", 'a "1"', "Ü\n2"]
    table = pd.concat([part(*names, corpus="toy"), part("z", corpus="first")])
    write_part(tmp_path / "train.csv", table)
    back = read_part(tmp_path / "train.csv")
    assert list(back.columns) == ["utterance", "corpus", "label", "domain"]
    assert list(zip(back["corpus"], back["utterance"], strict=True)) == [
        ("first", "z"),
        *(("toy", name) for name in sorted(names)),
    ]


def test_an_utterance_twice_is_refused_but_not_one_of_another_corpus(tmp_path):
    write_part(tmp_path / "a.csv", pd.concat([part("a"), part("a", corpus="other")]))
    assert len(read_part(tmp_path / "a.csv")) == 2
    write_part(tmp_path / "b.csv", part("a", "a"))
    with pytest.raises(EmonasError, match=r"b\.csv: an utterance stands there twice"):
        read_part(tmp_path / "b.csv")


def test_an_empty_part_is_one(tmp_path):
    write_part(tmp_path / "validation.csv", part("a")[:0])
    assert len(read_part(tmp_path / "validation.csv")) == 0


def test_the_index_has_counts(tmp_path):
    row = {"fold": "08", "held_out": "08, 09", "train": 10, "validation": 0, "test": 3}
    write_index(tmp_path / "folds.csv", pd.DataFrame([row]))
    assert read_index(tmp_path / "folds.csv").to_dict("records") == [row]
