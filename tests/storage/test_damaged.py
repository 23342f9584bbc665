"""Damaged results are noted by jobs and renamed by the run, but not what was made again since."""

import os
from pathlib import Path

import pytest

from emonas.storage.damaged import forget_damaged, note_damaged, rename_damaged

NOTES = Path("results/resume/damaged")


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def result(name, content="as it was"):
    path = Path("results/search") / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    return path


def test_what_was_noted_is_renamed_once_however_often_it_was_found():
    paths = [result(name) for name in ("b c/weights.safetensors", "a/weights.safetensors")]
    other = result("d/weights.safetensors")
    for path in [*paths, *paths]:
        assert note_damaged(path)
        assert path.exists()
    assert sorted(rename_damaged()) == sorted(paths)
    for path in paths:
        assert not path.exists()
        assert path.with_name("weights.safetensors.damaged").read_text() == "as it was"
    assert other.exists()
    assert not list(NOTES.iterdir())
    assert rename_damaged() == []


@pytest.mark.parametrize("content", ["made again", "the same"])
def test_what_was_made_again_keeps_its_name(content):
    path = result("genotype.json", "the same")
    status = path.stat()
    assert note_damaged(path)
    result("new", content).replace(path)
    # Of the same size it has another time, of the same time another size.
    time = status.st_mtime_ns + (1 if content == "the same" else 0)
    os.utime(path, ns=(time, time))
    assert rename_damaged() == []
    assert path.read_text() == content
    assert not list(NOTES.iterdir())


def test_what_has_gone_is_let_go():
    path = result("genotype.json")
    assert note_damaged(path)
    path.unlink()
    assert rename_damaged() == []
    assert not list(NOTES.iterdir())


@pytest.mark.parametrize("text", ["", "{", "[]", '{"path": "results/search/genotype.json"}'])
def test_what_is_no_note_is_dropped(text):
    path = result("genotype.json")
    NOTES.mkdir(parents=True)
    (NOTES / "a.json").write_text(text)
    # That of a job that is writing it.
    (NOTES / ".b.json").write_text(text)
    assert rename_damaged() == []
    assert path.exists()
    assert [file.name for file in NOTES.iterdir()] == [".b.json"]


def test_only_results_that_are_there_are_noted(tmp_path):
    outside = Path("my weights.safetensors")
    outside.write_text("mine")
    for path in (outside, outside.absolute(), Path("results/search/none.json"), Path("results")):
        assert not note_damaged(path)
    assert rename_damaged() == []
    path = result("genotype.json")
    assert note_damaged(path.absolute())
    assert rename_damaged() == [tmp_path / path]


def test_a_file_that_can_not_be_renamed_stays_noted():
    path = result("genotype.json")
    assert note_damaged(path)
    in_the_way = path.with_name("genotype.json.damaged")
    in_the_way.mkdir()
    assert rename_damaged() == []
    in_the_way.rmdir()
    assert rename_damaged() == [path]


def test_after_a_run_that_ended_well_nothing_is_renamed():
    path = result("genotype.json")
    forget_damaged()
    assert note_damaged(path)
    forget_damaged()
    assert rename_damaged() == []
    assert path.exists()
