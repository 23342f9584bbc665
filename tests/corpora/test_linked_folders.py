"""Links to folders are followed; whatever is not read through them is listed."""

import os

import pytest

from emonas.corpora.readers import emodb, folders


def options(root):
    return folders.Options(root=root, speaker=".")


def test_a_class_that_is_a_link_is_read(tone, written, tmp_path):
    tone(tmp_path / "data" / "happy" / "a.wav", pitch=200)
    tone(tmp_path / "elsewhere" / "sadness" / "day 1" / "b.wav", pitch=210)
    tone(tmp_path / "third" / "c.wav", pitch=220)
    (tmp_path / "data" / "sad").symlink_to(tmp_path / "elsewhere" / "sadness")
    (tmp_path / "elsewhere" / "sadness" / "day 2").symlink_to("../../third")
    manifest, problems = written(options(tmp_path / "data"))
    assert dict(manifest["emotion"]) == {
        "happy_a": "happy",
        "sad_day 1_b": "sad",
        "sad_day 2_c": "sad",
    }
    assert problems.empty


def test_readers_of_file_names_follow_links_too(tone, written, tmp_path):
    tone(tmp_path / "elsewhere" / "03a01Fa.wav")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "wav").symlink_to(tmp_path / "elsewhere")
    manifest, _ = written(emodb.Options(root=tmp_path / "data"))
    assert list(manifest.index) == ["03a01Fa"]


def test_loops_of_links_end_and_are_listed(tone, written, tmp_path):
    root = tmp_path / "data"
    tone(root / "happy" / "a.wav", pitch=200)
    tone(root / "sad" / "b.wav", pitch=210)
    (root / "happy" / "up").symlink_to("..")
    for name in ("happy", "sad"):
        for other in ("happy", "sad"):
            (root / name / f"to {other}").symlink_to(root / other)
    (root / "around").symlink_to("around")
    manifest, problems = written(options(root))
    assert list(manifest.index) == ["happy_a", "sad_b"]
    names = {"up", "to happy", "to sad", "around"}
    assert set(problems.index) == names
    assert len(problems) == 6
    assert problems.loc["up", "problem"].startswith(f"it is the same folder as {root.as_posix()},")
    assert set(problems["consequence"]) == {"left out"}


def test_a_folder_is_read_once_and_rather_where_no_link_leads(tone, written, tmp_path):
    root = tmp_path / "data"
    tone(root / "joy" / "a.wav")
    tone(tmp_path / "elsewhere" / "b.wav", pitch=210)
    (root / "a link to joy").symlink_to("joy")
    for name in ("sad", "sorrow"):
        (root / name).symlink_to(tmp_path / "elsewhere")
    manifest, problems = written(options(root))
    assert list(manifest.index) == ["joy_a", "sad_b"]
    assert set(problems.index) == {"a link to joy", "sorrow"}
    assert f"{root.as_posix()}/sad," in problems.loc["sorrow", "problem"]


def test_a_class_whose_link_leads_nowhere_is_listed(tone, written, tmp_path):
    root = tmp_path / "data"
    tone(root / "happy" / "a.wav")
    (root / "sad").symlink_to(tmp_path / "gone")
    (root / "happy" / "gone.wav").symlink_to(tmp_path / "gone.wav")
    manifest, problems = written(options(root))
    assert list(manifest.index) == ["happy_a"]
    assert sorted(problems.index) == ["gone.wav", "sad"]
    assert "can't be read" in problems.loc["sad", "problem"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads every folder")
def test_a_class_without_permission_is_listed(tone, written, tmp_path):
    root = tmp_path / "data"
    tone(root / "happy" / "a.wav")
    tone(root / "sad" / "b.wav").parent.chmod(0)
    manifest, problems = written(options(root))
    (root / "sad").chmod(0o700)
    assert list(manifest.index) == ["happy_a"]
    assert list(problems.index) == ["sad"]
