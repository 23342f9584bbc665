import os

import pytest

from emonas.storage.resume import drop_ended, outlive_jobs, resume_folder


def folder_of(root, inputs):
    """The folder that a job which fails leaves."""
    found = []

    def fail():
        with resume_folder(root, "train", {"name": "a"}, inputs) as folder:
            found.append(folder)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    return found[0]


@pytest.mark.parametrize("size", [10, 2_000_000])
def test_a_folder_s_names_and_contents_count(tmp_path, size):
    given = tmp_path / "given"
    for folder in ("a", "b"):
        (given / folder).mkdir(parents=True)
        (given / folder / "u.npy").write_bytes(folder.encode() * size)
    first = folder_of(tmp_path / "resume", [given])
    assert folder_of(tmp_path / "resume", [given]) == first
    # The same contents under each other's names: the order of the two stays.
    (given / "a" / "u.npy").rename(given / "a" / "v.npy")
    renamed = folder_of(tmp_path / "resume", [given])
    assert renamed != first
    (given / "a" / "v.npy").write_bytes(b"c" * size)
    assert folder_of(tmp_path / "resume", [given]) not in (first, renamed)
    # A folder elsewhere counts by what is in it; a large file by its place, too.
    if size == 10:
        moved = given.rename(tmp_path / "moved")
        (moved / "a" / "v.npy").write_bytes(b"a" * size)
        assert folder_of(tmp_path / "resume", [moved]) == renamed


def job(root, keeps=True):
    """What a job finds; it may keep something of its own."""
    with resume_folder(root, "train", {"name": "a"}, []) as folder:
        found = [path.name for path in folder.iterdir()] if folder.exists() else []
        if keeps:
            folder.mkdir(exist_ok=True)
            (folder / "state.pt").write_text("kept")
    return found


def test_what_is_kept_goes_with_its_job(tmp_path):
    assert job(tmp_path) == []
    assert job(tmp_path) == []
    assert list((tmp_path / "train").iterdir()) == []


def test_in_a_workflow_what_is_kept_outlives_its_job_until_it_is_dropped(tmp_path):
    outlive_jobs(tmp_path)
    assert job(tmp_path, keeps=False) == []
    assert job(tmp_path) == []
    # Snakemake was killed before it noted the end: the job goes on where it ended.
    assert job(tmp_path) == ["state.pt"]
    drop_ended(tmp_path, 60)
    assert job(tmp_path) == ["state.pt"]
    (ended,) = (tmp_path / "ended").iterdir()
    os.utime(ended, (0, 0))
    with resume_folder(tmp_path, "train", {"name": "another"}, []):
        assert not ended.exists()
    assert job(tmp_path) == []
    drop_ended(tmp_path)
    assert job(tmp_path, keeps=False) == []
    assert [path for path in tmp_path.rglob("*") if path.parent != tmp_path] == []


def test_a_pipe_is_not_read(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    first = folder_of(tmp_path / "resume", [tmp_path / "pipe"])
    assert folder_of(tmp_path / "resume", [tmp_path / "pipe"]) == first
