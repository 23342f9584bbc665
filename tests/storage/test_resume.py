import pytest

from emonas.storage.resume import resume_folder


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
