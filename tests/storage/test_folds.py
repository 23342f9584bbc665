import hashlib

import pandas as pd
import pytest

from emonas.errors import DamagedFileError, EmonasError
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


def written(path):
    """A part or an index of three lines, and how it is read."""
    if path.name == "folds.csv":
        rows = [
            {"fold": str(n), "held_out": "a", "train": 10, "validation": n, "test": 3}
            for n in range(3)
        ]
        write_index(path, pd.DataFrame(rows))
        return read_index
    write_part(path, part("a", "b", "c"))
    return read_part


@pytest.mark.parametrize("name", ["train.csv", "folds.csv"])
def test_a_lost_line_is_found(tmp_path, name):
    path = tmp_path / name
    read = written(path)
    lines = path.read_text().splitlines(keepends=True)
    for lost in range(1, len(lines)):
        path.write_text("".join(lines[:lost] + lines[lost + 1 :]))
        with pytest.raises(DamagedFileError, match="its bytes are not those") as told:
            read(path)
        assert told.value.path == path
    path.write_text("".join(lines))
    assert len(read(path)) == 3


@pytest.mark.parametrize("name", ["train.csv", "folds.csv"])
def test_the_digest_is_what_sha256sum_checks(tmp_path, name):
    path = tmp_path / name
    written(path)
    wanted = f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {name}\n"
    assert (tmp_path / f"{name}.sha256").read_text() == wanted
    # Another table gets its own.
    write_part(path, part("d"))
    assert (tmp_path / f"{name}.sha256").read_text() != wanted


@pytest.mark.parametrize("name", ["train.csv", "folds.csv"])
def test_without_a_digest_a_table_that_was_cut_is_a_sentence_or_a_shorter_table(tmp_path, name):
    """As one that a person wrote, or an earlier version."""
    path = tmp_path / name
    read = written(path)
    (tmp_path / f"{name}.sha256").unlink()
    whole = path.read_bytes()
    refused = 0
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        try:
            assert 0 <= len(read(path)) <= 3
        except EmonasError as error:
            refused += str(error).startswith(f"{path}: ")
    assert refused > len(whole) / 2


def test_a_kill_between_table_and_digest_leaves_no_wrong_one(tmp_path, monkeypatch):
    path = tmp_path / "train.csv"
    written(path)

    def killed(_):
        raise KeyboardInterrupt

    monkeypatch.setattr("emonas.storage.folds.write_digest", killed)
    with pytest.raises(KeyboardInterrupt):
        write_part(path, part("d"))
    assert list(read_part(path)["utterance"]) == ["d"]
