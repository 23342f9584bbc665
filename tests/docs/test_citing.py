"""Who uses a paper's settings finds what to cite."""

import re
from pathlib import Path

import pytest
import yaml

import emonas

ROOT = Path(__file__).parents[2]
COPIES = ROOT.parent / "shared/papers"
PAPERS = sorted(path.stem for path in (ROOT / "workflow/papers").glob("*.yaml"))
CITATION = yaml.safe_load((ROOT / "CITATION.cff").read_text())


def bibliography():
    """The fields of every entry, by its key; a brace in a field is for BibTeX alone."""
    text = (ROOT / "docs/papers.bib").read_text()
    entries = re.findall(r"^@\w+\{([\w-]+),\n(.*?)^\}$", text, flags=re.MULTILINE | re.DOTALL)
    return {
        key: {
            name: re.sub(r"[{}]", "", value)
            for name, value in re.findall(r"^  (\w+) = \{(.*)\},?$", body, flags=re.MULTILINE)
        }
        for key, body in entries
    }


BIBLIOGRAPHY = bibliography()
REFERENCES = {Path(entry["notes"]).stem: entry for entry in CITATION["references"]}


def names(entry):
    return [f"{one['family-names']}, {one['given-names']}" for one in entry["authors"]]


def test_there_are_five_papers():
    assert len(PAPERS) == 5
    assert sorted(BIBLIOGRAPHY) == sorted([*PAPERS, "emonas"])
    assert sorted(REFERENCES) == PAPERS


@pytest.mark.parametrize("paper", PAPERS)
def test_both_say_the_same_of_a_paper(paper):
    entry, reference = BIBLIOGRAPHY[paper], REFERENCES[paper]
    settings = (ROOT / reference["notes"]).read_text()
    assert re.findall(r"^# To cite: (\S+) in docs/papers.bib\.$", settings, re.M) == [paper]
    assert entry["title"] == reference["title"]
    assert entry["author"].split(" and ") == names(reference)
    assert entry.get("year") == (str(reference["year"]) if "year" in reference else None)
    assert ("eprint" in entry) == ("url" in reference)
    assert entry.get("eprint", "") in reference.get("url", "")


@pytest.mark.skipif(not COPIES.is_dir(), reason="the papers are not at hand")
@pytest.mark.parametrize("paper", PAPERS)
def test_nothing_is_said_of_a_paper_that_it_does_not_say(paper):
    head = " ".join((COPIES / f"{paper}.md").read_text()[:1500].replace("*", "").split())
    entry = BIBLIOGRAPHY[paper]
    assert entry["title"].casefold() in head.casefold()
    places = []
    for name in entry["author"].split(" and "):
        family, given = name.split(", ")
        places.append(head.index(f"{given} {family}"))
    assert places == sorted(places)
    for key in ("year", "eprint", "primaryclass"):
        assert entry.get(key, "") in head


def test_the_software_is_that_of_its_version():
    assert CITATION["cff-version"] == "1.2.0"
    assert CITATION["version"] == emonas.__version__
    assert emonas.__version__ in BIBLIOGRAPHY["emonas"]["note"]
    assert BIBLIOGRAPHY["emonas"]["title"] == CITATION["title"]
    assert 'license = "MIT"' in (ROOT / "pyproject.toml").read_text()
    assert CITATION["license"] == "MIT"
