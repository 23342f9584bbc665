from dataclasses import replace

import pytest

from emonas.errors import DamagedFileError, EmonasError
from emonas.storage.digests import forget_digest
from emonas.storage.manifest import (
    Problem,
    Utterance,
    read_manifest,
    read_problems,
    write_manifest,
    write_problems,
)

ONE = Utterance(
    utterance="Ä 1",
    audio='wav/a "b", c.wav',
    corpus="toy",
    language="de",
    speaker="08",
    gender="female",
    session="",
    style="acted",
    text='Er sagte: "Heute,\nnicht morgen"',
    emotion="sad",
    seconds=1.2345678901234567,
    sampling_rate=16000,
    digest="00ff",
)


def test_rows_come_back_sorted_with_their_types(tmp_path):
    path = tmp_path / "manifest.csv"
    write_manifest(path, [replace(ONE, utterance="b"), ONE, replace(ONE, utterance="a")])
    table = read_manifest(path)
    assert table["utterance"].tolist() == ["a", "b", "Ä 1"]
    assert Utterance(**table.iloc[2].to_dict()) == ONE
    assert table["seconds"].dtype == float
    assert table["sampling_rate"].dtype == int


def test_two_utterances_of_one_name_are_refused(tmp_path):
    path = tmp_path / "manifest.csv"
    with pytest.raises(EmonasError, match=r"manifest\.csv.*Ä 1.*name of its own"):
        write_manifest(path, [ONE, replace(ONE, audio="other.wav")])
    assert not path.exists()
    write_manifest(path, [ONE])
    lines = path.read_text(encoding="utf-8").split("\n", 1)
    path.write_text(lines[0] + "\n" + 2 * lines[1], encoding="utf-8")
    with pytest.raises(DamagedFileError, match="its bytes are not those that were written"):
        read_manifest(path)
    forget_digest(path)
    with pytest.raises(EmonasError, match=r"manifest\.csv.*Ä 1"):
        read_manifest(path)


@pytest.mark.parametrize("column", ["seconds", "sampling_rate"])
def test_a_number_that_is_none_is_told(tmp_path, column):
    path = tmp_path / "manifest.csv"
    write_manifest(path, [replace(ONE, **{column: "long"})])
    with pytest.raises(EmonasError, match=r"manifest\.csv.*must be numbers"):
        read_manifest(path)


def test_an_empty_manifest_is_one(tmp_path):
    write_manifest(tmp_path / "manifest.csv", [])
    assert len(read_manifest(tmp_path / "manifest.csv")) == 0


def test_problems_come_back_sorted(tmp_path):
    write_problems(tmp_path / "p.csv", [Problem("b.wav", "empty"), Problem("a.wav", "x", "kept")])
    table = read_problems(tmp_path / "p.csv")
    assert table.to_dict("records") == [
        {"file": "a.wav", "problem": "x", "consequence": "kept"},
        {"file": "b.wav", "problem": "empty", "consequence": "left out"},
    ]
