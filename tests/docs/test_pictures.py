"""The pictures of README, and the command that makes them."""

import importlib.util
import shutil
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).parents[2]
FIGURES = ROOT / "docs/figures"
LARGEST = 150_000


def the_script():
    spec = importlib.util.spec_from_file_location("pictures", FIGURES / "pictures.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


PICTURES = the_script()
THERE = any(map(shutil.which, PICTURES.BROWSERS))


@pytest.mark.parametrize("name", ["report.png", "searched-cell.svg"])
def test_readme_shows_a_small_picture(name):
    assert f"](docs/figures/{name})" in (ROOT / "README.md").read_text()
    assert 0 < (FIGURES / name).stat().st_size < LARGEST


def test_the_cell_is_a_drawing():
    root = ElementTree.parse(FIGURES / "searched-cell.svg").getroot()  # noqa: S314
    assert root.tag.endswith("}svg")
    assert not [one for one in root.iter() if one.tag.endswith(("}script", "}image"))]


@pytest.mark.skipif(not THERE, reason="no browser is installed")
def test_the_report_is_drawn_and_the_cell_copied(tmp_path):
    report, folder = tmp_path / "my report", tmp_path / "pictures"
    (report / "figures").mkdir(parents=True)
    folder.mkdir()
    style = "margin: 0; height: 200px; background: #0072b2"
    (report / "index.html").write_text(f"<!doctype html><body style='{style}'></body>")
    (report / "figures" / PICTURES.CELLS).write_text("<svg/>")
    PICTURES.make_pictures(report, folder)
    with Image.open(folder / "report.png") as image:
        assert image.size == PICTURES.SIZE
        colours = np.asarray(image.convert("RGB"))
    assert colours[100, 500].tolist() == [0, 0x72, 0xB2]
    assert (folder / "searched-cell.svg").read_text() == "<svg/>"


def test_without_the_demonstration_it_says_what_to_do(tmp_path):
    with pytest.raises(SystemExit, match=r"run the demonstration first \(make run\)"):
        PICTURES.make_pictures(tmp_path, tmp_path)
    assert not list(tmp_path.iterdir())
