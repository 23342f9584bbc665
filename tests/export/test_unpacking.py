"""What an archive or a picture in it must not be."""

import zipfile
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from emonas.errors import EmonasError
from emonas.export.pictures import alike
from emonas.export.unpacking import strange_files, unpacked


def test_an_archive_with_a_name_twice_is_refused(tmp_path):
    path = tmp_path / "twice.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("plan.json", "{}")
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("plan.json", "{ }")
    with pytest.raises(EmonasError, match=r"it holds plan\.json twice"), unpacked(path):
        pass


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
