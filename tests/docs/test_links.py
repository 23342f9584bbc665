"""Every link within the documents leads somewhere, and every page is found from the index."""

import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
INDEX = ROOT / "docs/index.md"
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
_LINK = re.compile(r"\]\(\s*([^)\s]+)\s*\)")
_CODE = re.compile(r"^```.*?^```$|`[^`\n]*`", re.MULTILINE | re.DOTALL)


def links(page):
    """The places that a page links to; code holds none."""
    return _LINK.findall(_CODE.sub("", page.read_text()))


@cache
def anchors(page):
    """The names of a page's headings, as GitHub and others make them."""
    text = re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    found = []
    for heading in re.findall(r"^#+ +(.*)$", text, flags=re.MULTILINE):
        name = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        found.append(f"{name}-{found.count(name)}" if name in found else name)
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    for link in links(page):
        if re.match(r"[a-z]+://", link):
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        assert target.exists(), link
        assert target.is_relative_to(ROOT), link
        if anchor:
            assert anchor in anchors(target), link


def test_the_index_leads_to_every_page():
    found = {(INDEX.parent / link.split("#")[0]).resolve() for link in links(INDEX)}
    pages = {page for page in PAGES if page.is_relative_to(ROOT / "docs")}
    assert pages - found == {INDEX}


def test_readme_leads_to_the_index_and_to_every_paper():
    found = {(ROOT / link).resolve() for link in links(ROOT / "README.md")}
    assert {INDEX, *(ROOT / "docs/papers").glob("*.md")} <= found


def test_links_are_found_and_code_is_none(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("# A *b*, c\n[x](a.md#b) `[y](z)`\n```sh\n# no heading [n](o)\n```\n## A b c\n")
    assert links(page) == ["a.md#b"]
    assert anchors(page) == ["a-b-c", "a-b-c-1"]
