import json

import pytest

from emonas.storage.atomic import whole_file, write_json, write_text


def test_a_block_that_fails_leaves_no_file_and_the_former_one_intact(tmp_path):
    path = tmp_path / "a folder" / "ä b.csv"

    def fail(error):
        with whole_file(path) as temporary:
            assert temporary.suffix == ".csv"
            assert temporary.parent == path.parent
            temporary.write_text("half")
            raise error

    with pytest.raises(KeyboardInterrupt):
        fail(KeyboardInterrupt())
    assert list(path.parent.iterdir()) == []
    write_text(path, "whole\n")
    with pytest.raises(ValueError, match="oh"):
        fail(ValueError("oh"))
    assert path.read_text() == "whole\n"
    assert list(path.parent.iterdir()) == [path]


def test_the_name_appears_only_when_the_block_ends(tmp_path):
    path = tmp_path / "a.txt"
    with whole_file(path) as temporary:
        temporary.write_text("whole")
        assert not path.exists()
    assert path.read_text() == "whole"
    assert list(tmp_path.iterdir()) == [path]


def test_two_writers_of_one_name_do_not_meet(tmp_path):
    path = tmp_path / "a.txt"
    with whole_file(path) as first, whole_file(path) as second:
        assert first != second
        first.write_text("first")
        second.write_text("second")
    assert path.read_text() == "first"


@pytest.mark.parametrize("value", [float("nan"), float("inf"), object()])
def test_what_json_cannot_hold_leaves_the_former_file(tmp_path, value):
    path = tmp_path / "a.json"
    write_json(path, {"ü": [1, None]})
    with pytest.raises((ValueError, TypeError)):
        write_json(path, {"a": value})
    assert json.loads(path.read_text(encoding="utf-8")) == {"ü": [1, None]}
    assert list(tmp_path.iterdir()) == [path]
