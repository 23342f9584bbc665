"""README's pictures, from the report of the demonstration: `make pictures`, after `make run`."""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
CELLS = "demo-cnn-cells.svg"
SIZE = (1000, 1300)
"""Of the report's picture, in pixels: the head of the page."""
COLOURS = 64


def browser() -> str:
    """The path of a browser that can draw a page without a screen; stops where there is none."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    return found or sys.exit(f"pictures: there is none of {', '.join(BROWSERS)}; install one")


def draw_page(page: Path, picture: Path) -> None:
    """Write the head of a page as PNG, in few colours so that it is small."""
    with tempfile.TemporaryDirectory() as folder:
        drawn = Path(folder, "page.png")
        width, height = SIZE
        command = [
            browser(),
            "--headless",
            # Where root calls it, a browser starts in no other way; the page is our own.
            "--no-sandbox",
            "--hide-scrollbars",
            f"--user-data-dir={folder}/profile",
            f"--window-size={width},{height}",
            f"--screenshot={drawn}",
            page.resolve().as_uri(),
        ]
        subprocess.run(command, check=True, capture_output=True, timeout=120)  # noqa: S603
        with Image.open(drawn) as image:
            image.convert("RGB").quantize(COLOURS).save(picture, optimize=True)


def make_pictures(report: Path, folder: Path) -> None:
    """Write `report.png` and `searched-cell.svg` into a folder."""
    page, cells = report / "index.html", report / "figures" / CELLS
    for path in (page, cells):
        if not path.is_file():
            sys.exit(f"pictures: there is no {path}; run the demonstration first (make run)")
    draw_page(page, folder / "report.png")
    shutil.copyfile(cells, folder / "searched-cell.svg")


if __name__ == "__main__":
    make_pictures(Path("results/report"), Path(__file__).parent)
