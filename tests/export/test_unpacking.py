"""What an archive or a picture in it must not be."""

import json
import zipfile
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from emonas.errors import EmonasError
from emonas.export.pictures import alike
from emonas.export.unpacking import changed_files, keys_twice, strange_files, unpacked


def test_an_archive_with_a_name_twice_is_refused(tmp_path):
    path = tmp_path / "twice.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("plan.json", "{}")
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("plan.json", "{ }")
    with pytest.raises(EmonasError, match=r"it holds plan\.json twice"), unpacked(path):
        pass


@pytest.mark.parametrize("name", ["report//a.csv", "./report/a.csv", "report/./a.csv"])
def test_another_name_of_a_file_is_refused(tmp_path, name):
    """It would be written over the file."""
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(name, "text")
    with pytest.raises(EmonasError, match="another name of a file"), unpacked(tmp_path / "a.zip"):
        pass


def test_every_changed_byte_of_an_archive_is_told_in_a_sentence(tmp_path):
    """As of a bad download; those that no reader reads change nothing."""
    path, cut = tmp_path / "whole.zip", tmp_path / "cut.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("results/a.csv", "speaker,ua\n" * 20)
        archive.writestr("bundle.json", '{"emonas": "1", "files": {}}')
    content, said = path.read_bytes(), []
    for place in range(len(content)):
        changed = content[place] ^ 0x41
        cut.write_bytes(content[:place] + bytes([changed]) + content[place + 1 :])
        try:
            with unpacked(cut):
                pass
        except EmonasError as error:
            said.append(str(error))
    cut.write_bytes(content[:-40])
    with pytest.raises(
        EmonasError, match=r"cut\.zip: the archive is damaged \(.*\); fetch it again"
    ):
        unpacked(cut).__enter__()
    assert sum("the archive is damaged (" in sentence for sentence in said) > len(content) / 2


def test_names_that_no_file_can_have_are_not_there(tmp_path):
    """Of a list that somebody wrote: too long, or of a file outside."""
    (tmp_path / "bundle" / "a").mkdir(parents=True)
    (tmp_path / "outside").write_text("")
    (tmp_path / "bundle" / "b.txt").write_text("")
    nothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    strange = ["x" * 300, "../outside", f"{tmp_path}/outside", "a", "a\0b", "a/../b.txt"]
    told = {"emonas": "1", "files": dict.fromkeys((*strange, "b.txt"), nothing)}
    (tmp_path / "bundle" / "bundle.json").write_text(json.dumps(told))
    assert list(changed_files(tmp_path / "bundle")) == strange


def test_documents_with_a_key_twice_are_named(tmp_path):
    (tmp_path / "results").mkdir()
    (tmp_path / "plan.json").write_text('{"title": "a", "runs": [], "title": "b"}')
    (tmp_path / "results/a.json").write_text('{"runs": [{"seed": 0}, {"seed": 0}]}')
    (tmp_path / "results/b.json").write_text("none")
    assert list(keys_twice(tmp_path)) == ["plan.json: has the key title twice"]


def test_files_of_no_bundle_are_named(tmp_path):
    names = ["bundle.json", "plan.json", "a.yaml", "lock.txt", "lock-gpu.txt", "scoring/p.json"]
    strange = ["more/lock.txt", "notes.txt", "scoring/q.json"]
    for name in (*names, "results/a/b.csv", "report/index.html", *strange):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("text")
    told = SimpleNamespace(settings_file="a.yaml", run_protocols=lambda: ["p"])
    assert list(strange_files(tmp_path, told)) == strange


def test_a_picture_that_moves_is_another(tmp_path):
    frames = [Image.fromarray(np.full((9, 9, 3), level, np.uint8)) for level in (200, 10)]
    frames[0].save(tmp_path / "one.png")
    frames[0].save(tmp_path / "same.png", compress_level=0)
    frames[0].save(tmp_path / "two.png", save_all=True, append_images=frames[1:])
    assert alike(tmp_path / "same.png", tmp_path / "one.png")
    assert not alike(tmp_path / "two.png", tmp_path / "one.png")
