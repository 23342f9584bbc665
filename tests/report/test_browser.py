"""The page in a real browser: nothing fails, every link lands, and it fits a phone and paper."""

import os
import shutil
from pathlib import Path

import pytest
from chromium import Chromium, file_of

PROGRAM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = pytest.mark.skipif(PROGRAM is None, reason="there is no chromium on PATH")

PHONE, DESKTOP = (390, 844), (1280, 900)
_BROKEN = {
    "an error in the console": "<script>console.error('this went wrong')</script>",
    "an uncaught exception": "<script>throw new Error('this went wrong')</script>",
    "a promise that nobody caught": "<script>Promise.reject(new Error('went wrong'))</script>",
    "a picture that is not there": '<img src="nowhere.png" alt="">',
    "a style that is not there": '<link rel="stylesheet" href="nowhere.css">',
}
_LINKS = "[...document.links].map(a => [a.getAttribute('href'), a.href])"
_LAND = """(async () => {
  const lost = [];
  for (const link of document.querySelectorAll('a[href^="#"]')) {
    const target = document.getElementById(decodeURIComponent(link.hash.slice(1)));
    if (!target) { lost.push(link.hash + ' is nowhere'); continue; }
    link.click();
    await new Promise(requestAnimationFrame);
    const place = target.getBoundingClientRect();
    if (!place.height || place.bottom < 0 || place.top > innerHeight) lost.push(link.hash);
  }
  return lost;
})()"""
_PICTURES = "[...document.images].filter(i => !i.complete || !i.naturalWidth || !i.alt).length"
_WIDE = "document.documentElement.scrollWidth - innerWidth"
_SMALL = """[...document.querySelectorAll('body *')].filter(
  e => e.childNodes.length && [...e.childNodes].some(n => n.nodeType == 3 && n.data.trim())
    && parseFloat(getComputedStyle(e).fontSize) < 11).length"""


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    started = Chromium(PROGRAM, tmp_path_factory.mktemp("profile"))
    yield started
    started.close()


@pytest.fixture(scope="module")
def screenshots(tmp_path_factory):
    named = os.environ.get("EMONAS_SCREENSHOTS")
    folder = Path(named) if named else tmp_path_factory.mktemp("screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture
def page(browser, report_folder):
    """The report at the size of a desktop; what went wrong while a test used it fails that test."""
    browser.resize(*DESKTOP)
    browser.open((report_folder / "index.html").as_uri())
    yield browser
    assert browser.faults == []


@pytest.mark.parametrize("what", _BROKEN)
def test_a_broken_page_is_seen_to_be_broken(browser, tmp_path, what):
    path = tmp_path / "broken.html"
    path.write_text(f"<!DOCTYPE html><title>x</title>{_BROKEN[what]}<p>text", encoding="utf-8")
    browser.open(path.as_uri())
    assert len(browser.faults) > 0
    whole = tmp_path / "whole.html"
    whole.write_text("<!DOCTYPE html><title>x</title><p>text", encoding="utf-8")
    browser.open(whole.as_uri())
    assert browser.faults == []


def test_every_link_within_the_page_lands(page):
    """Its target is in sight, and opened where it was folded."""
    page.evaluate("document.documentElement.style.scrollBehavior = 'auto'")
    assert page.evaluate("document.querySelectorAll('a[href^=\"#\"]').length") > 30
    assert page.evaluate(_LAND) == []


def test_a_link_to_nowhere_is_seen(browser, tmp_path):
    path = tmp_path / "lost.html"
    path.write_text('<a href="#there">a</a><a href="#gone">b</a><p id="there">c', encoding="utf-8")
    browser.open(path.as_uri())
    assert browser.evaluate(_LAND) == ["#gone is nowhere"]


def test_every_file_that_the_page_links_to_opens(page, report_folder):
    files = {
        file_of(address)
        for said, address in page.evaluate(_LINKS)
        if not said.startswith("#") and address.startswith("file:")
    }
    assert len({path.suffix for path in files}) == 5
    drawings = []
    for path in sorted(files):
        assert path.is_relative_to(report_folder.resolve())
        assert path.stat().st_size > 0
        if path.suffix == ".png":
            assert path.read_bytes().startswith(b"\x89PNG")
        else:
            assert path.read_text(encoding="utf-8").strip()
        drawings += [path] if path.suffix == ".svg" else []
    # A drawing that is no whole XML is shown as an error, as a document of HTML.
    for path in drawings:
        page.open(path.as_uri())
        assert page.evaluate("document.documentElement.tagName") == "svg", path
        assert page.evaluate("document.querySelectorAll('parsererror').length") == 0, path
        assert page.faults == []


def test_every_picture_is_drawn_and_has_a_text(page):
    assert page.evaluate("document.images.length") > 15
    assert page.evaluate(_PICTURES) == 0


@pytest.mark.parametrize(("name", "size"), [("phone", PHONE), ("desktop", DESKTOP)])
def test_nothing_overflows_sideways_and_no_text_is_tiny(page, screenshots, name, size):
    page.resize(*size, mobile=name == "phone")
    assert page.evaluate("innerWidth") == size[0]
    # All that is folded too.
    page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true })")
    assert page.evaluate(_WIDE) <= 0
    assert page.evaluate(_SMALL) == 0
    page.photograph(screenshots / f"{name}.png")
    height = min(page.evaluate("document.documentElement.scrollHeight"), 12_000)
    clip = {"x": 0, "y": 0, "width": size[0], "height": height, "scale": 0.5}
    page.photograph(screenshots / f"{name}-long.png", captureBeyondViewport=True, clip=clip)
    assert (screenshots / f"{name}.png").stat().st_size > 10_000


def test_it_prints_with_all_that_was_folded(page, screenshots):
    page.print(screenshots / "print.pdf")
    assert (screenshots / "print.pdf").read_bytes().startswith(b"%PDF")
    page.call("Emulation.setEmulatedMedia", media="print")
    # A4 without its margins.
    page.resize(717, 1046)
    try:
        page.photograph(screenshots / "print.png")
        hidden = (
            "[...document.querySelectorAll('details table')].filter(t => !t.offsetHeight).length"
        )
        assert page.evaluate("document.querySelectorAll('details:not([open]) table').length") > 0
        assert page.evaluate(hidden) == 0
        assert page.evaluate("document.querySelector('nav.contents').offsetHeight") == 0
        assert page.evaluate(_WIDE) <= 0
    finally:
        page.call("Emulation.setEmulatedMedia", media="")
