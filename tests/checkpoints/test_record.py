import json

import pytest

from emonas.checkpoints.checkpoint import Checkpoint
from emonas.checkpoints.reading import digest_of
from emonas.checkpoints.record import read_checkpoint, write_record
from emonas.errors import EmonasError


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "a model"
    path.mkdir()
    (path / "w.bin").write_bytes(b"abc")
    (path / "config.json").write_bytes(b"{}")
    return path


def problem(record):
    with pytest.raises(EmonasError) as caught:
        read_checkpoint(record)
    assert f"snakemake --cores all --force {record}" in str(caught.value)
    return str(caught.value)


def test_a_record_says_where_the_weights_lie(tmp_path, folder, monkeypatch):
    record = tmp_path / "r.json"
    monkeypatch.chdir(tmp_path)
    given = {"size": 5, "sha256": None}
    write_record(record, Checkpoint("big", folder.relative_to(tmp_path), "d" * 64), given)
    monkeypatch.chdir("/")
    assert read_checkpoint(record) == Checkpoint("big", folder, "d" * 64)
    value = json.loads(record.read_text())
    assert value["size"] == 5
    assert value["given"] == given
    assert {name: size for name, (size, _) in value["files"].items()} == {
        "config.json": 2,
        "w.bin": 3,
    }


def test_a_record_of_unchanged_weights_is_the_same_bytes(tmp_path, folder):
    records = [tmp_path / "1.json", tmp_path / "2.json"]
    for record in records:
        write_record(record, Checkpoint("big", folder, "d" * 64))
    assert records[0].read_bytes() == records[1].read_bytes()


def test_weights_that_were_only_touched_are_the_same(tmp_path, folder):
    record = tmp_path / "r.json"
    write_record(record, Checkpoint("big", folder, digest_of(folder)))
    (folder / "w.bin").touch()
    assert read_checkpoint(record) == Checkpoint("big", folder, digest_of(folder))


@pytest.mark.parametrize(
    ("change", "name"),
    [
        (lambda folder: (folder / "w.bin").write_bytes(b"abd"), "w.bin"),
        (lambda folder: (folder / "config.json").unlink(), "config.json"),
        (lambda folder: (folder / "pytorch_model.bin").write_bytes(b""), "pytorch_model.bin"),
    ],
)
def test_a_change_in_a_folder_is_named(tmp_path, folder, change, name):
    record = tmp_path / "r.json"
    write_record(record, Checkpoint("big", folder, digest_of(folder)))
    change(folder)
    assert f"{folder}: the checkpoint big changed since it was verified ({name})" in problem(record)


def test_a_changed_or_missing_file_is_told(tmp_path):
    record, path = tmp_path / "r.json", tmp_path / "w.pt"
    path.write_bytes(b"abc")
    write_record(record, Checkpoint("small", path, "d" * 64))
    assert read_checkpoint(record).path == path
    path.write_bytes(b"abcd")
    assert "changed since it was verified (w.pt)" in problem(record)
    path.unlink()
    assert f"{path}: the checkpoint small is gone" in problem(record)


@pytest.mark.parametrize("text", [None, "", "[]", '{"name": 3}'])
def test_a_damaged_record_is_one_sentence(tmp_path, text):
    record = tmp_path / "r.json"
    if text is not None:
        record.write_text(text)
    assert "no record of a checkpoint" in problem(record)
