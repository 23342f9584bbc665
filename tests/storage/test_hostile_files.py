"""Manifests, genotypes and recipes that somebody else wrote: read, or a sentence with the file."""

import json
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from emonas.errors import EmonasError
from emonas.search.recipe_archive import read_archive
from emonas.storage.genotype import read_genotype
from emonas.storage.manifest import (
    MANIFEST_COLUMNS,
    Utterance,
    read_manifest,
    read_problems,
    write_manifest,
)

ROW = Utterance("u", "a.wav", "c", "de", "s", "", "", "", "t", "sad", 1.5, 16000, "00")
EDGES = [
    {"node": node, "source": source, "operation": "sep_conv_3x3"}
    for node in (0, 1)
    for source in (0, node + 1)
]
CELLS = {"kind": "cells", "method": "darts", "channels": 4, "cells": 3, "nodes": 2}
CELLS |= {"normal": EDGES, "reduction": EDGES}
RECIPE = {
    "gate": {"op": "linear", "input": ["x", "h_prev_0"]},
    "open": {"op": "activation_sigm", "input": ["gate"]},
    "h_new_0": {"op": "blend", "input": ["open", "h_prev_0", "x"]},
}
RECURRENT = {"kind": "recurrent", "method": "cells", "name": "n", "recipe": RECIPE}
TABLE = [[True, False], [False, True]]
CONNECTIONS = {"kind": "connections", "method": "gates", "beta": 0.6, "gamma": -0.1, "delta": 1.1}
CONNECTIONS |= {"features": ["a", "b"], "domains": {"de": TABLE, "en": TABLE}}
VALUES = [None, True, -1, 0, 2**63, 10**400, 1.5, float("nan"), float("inf"), "", "x", "h_prev_0"]
VALUES += [
    "h_new_0",
    "h_new_1",
    "h_new_-1",
    "h_new_\u00b2",
    "gate",
    "linear",
    "a\nb",
    "\x1b[2J",
    [],
    {},
]
junk = st.recursive(
    st.sampled_from(VALUES) | st.text(max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=5,
)


@st.composite
def spoiled(draw, document):
    """The document with some values replaced, by junk or by each other, or taken away."""
    document = json.loads(json.dumps(document))
    for _ in range(draw(st.integers(1, 3))):
        here = document
        for _ in range(6):
            names = list(here) if isinstance(here, dict) else list(range(len(here)))
            if not names:
                break
            name = draw(st.sampled_from(names))
            if isinstance(here[name], dict | list) and draw(st.booleans()):
                here = here[name]
                continue
            change = draw(st.sampled_from(["set", "drop", "add"]))
            if change == "drop":
                del here[name]
            elif change == "add" and isinstance(here, dict):
                here[draw(st.sampled_from(["x", "h_new_0", "h_new_1", "node", "a"]))] = draw(junk)
            else:
                here[name] = draw(junk)
            break
    return document


def tried(read: Callable[[Path], object], path: Path, content: bytes) -> None:
    """Read the file, or be told what is wrong with it."""
    path.write_bytes(content)
    try:
        read(path)
    except EmonasError as error:
        said = str(error)
    else:
        return
    assert said.startswith(str(path))
    assert said.isprintable()


def many(strategy: st.SearchStrategy, count: int, check: Callable[[object], None]) -> int:
    """Check a number of examples, always the same; gives how many there were."""
    done = []

    @examples(
        max_examples=count, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
    )
    @given(strategy)
    def run(value):
        done.append(1)
        check(value)

    run()
    return len(done)


@pytest.mark.fault
@pytest.mark.parametrize(
    "document", [CELLS, RECURRENT, CONNECTIONS], ids=lambda value: value["kind"]
)
def test_genotypes(tmp_path, tally, document):
    path = tmp_path / "genotype.json"
    path.write_text(json.dumps(document))
    assert read_genotype(path).kind == document["kind"]
    tally(
        "genotypes spoiled at random",
        many(spoiled(document), 500, lambda value: tried(read_genotype, path, dumped(value))),
    )


@pytest.mark.fault
def test_recipes_of_an_archive(tmp_path, tally):
    """A log that can't be used is one problem of the archive, and the others are read."""
    path = tmp_path / "recipes.zip"
    log = {"status": "OK", "val_losses": [5.0], "recepie_id": 1, "recepie": json.dumps(RECIPE)}

    def check(value):
        with zipfile.ZipFile(path, "w") as file:
            file.writestr("good.json", json.dumps(log))
            file.writestr("spoiled.json", dumped(value))
        archive = read_archive(path)
        assert len(archive.recipes) + len(archive.problems) + sum(archive.failed.values()) == 2
        assert archive.recipes

    recipes = spoiled(RECIPE).map(lambda recipe: log | {"recepie": json.dumps(recipe)})
    logs = st.one_of(spoiled(log), recipes, st.just(json.loads("[" * 900 + "]" * 900)), junk)
    tally("archives of recipes spoiled at random", many(logs, 500, check))


@pytest.mark.fault
def test_bytes_of_an_archive(tmp_path, tally):
    path = tmp_path / "recipes.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("good.json", json.dumps({"status": "OK", "recepie": json.dumps(RECIPE)}))
    content = path.read_bytes()

    def check(change):
        place, new = change
        tried(read_archive, path, content[:place] + new + content[place + len(new) :])

    changes = st.tuples(st.integers(0, len(content)), st.binary(min_size=1, max_size=4))
    tally("bytes of an archive of recipes spoiled at random", many(changes, 400, check))


def dumped(value: object) -> bytes:
    return json.dumps(value).encode("utf-8", "surrogatepass")


@pytest.mark.fault
def test_bytes_of_json(tmp_path, tally):
    path = tmp_path / "genotype.json"
    text = json.dumps(RECURRENT).encode()

    def check(change):
        place, gone, new = change
        tried(read_genotype, path, text[:place] + new + text[place + gone :])

    bytes_ = st.one_of(
        st.binary(max_size=9), st.sampled_from([b"[" * 9999, b"9" * 5000, b"\\ud800"])
    )
    changes = st.tuples(st.integers(0, len(text)), st.integers(0, 40), bytes_)
    tally("bytes of a genotype spoiled at random", many(changes, 300, check))


@pytest.mark.fault
def test_manifests(tmp_path, tally):
    path = tmp_path / "manifest.csv"
    write_manifest(path, [ROW])
    text = path.read_bytes()

    def check(change):
        place, gone, new = change
        for read in (read_manifest, read_problems):
            tried(read, path, text[:place] + new + text[place + gone :])

    wild = [
        b"\0",
        b'"',
        b"\r",
        b"\n\n",
        b",,,,",
        b"\xff\xfe",
        b"\xef\xbb\xbf",
        b"nan",
        b"inf",
        b"-1",
    ]
    wild += [b"1e999", b"9" * 400, b"x" * 200_000, b"16000.5", "\u0663".encode(), b"\x1b[2J"]
    bytes_ = st.one_of(st.binary(max_size=9), st.sampled_from(wild))
    changes = st.tuples(st.integers(0, len(text)), st.integers(0, 60), bytes_)
    tally("bytes of a manifest spoiled at random", many(changes, 400, check))


@pytest.mark.fault
def test_cells_of_a_manifest(tmp_path, tally):
    """Where a manifest is read, its numbers are numbers, and its names its own."""
    path = tmp_path / "manifest.csv"
    cells = st.lists(
        st.one_of(
            st.sampled_from(["", "nan", "inf", "-1", "0", "1e3", "1", "\u0663", "a\nb"]),
            st.text(max_size=5),
        ),
        min_size=len(MANIFEST_COLUMNS),
        max_size=len(MANIFEST_COLUMNS),
    )

    def check(rows):
        quoted = [",".join('"' + cell.replace('"', '""') + '"' for cell in row) for row in rows]
        content = "\n".join([",".join(MANIFEST_COLUMNS), *quoted])
        tried(read_manifest, path, content.encode("utf-8", "surrogatepass"))
        try:
            table = read_manifest(path)
        except EmonasError:
            return
        assert (table["seconds"] > 0).all()
        assert (table["seconds"] < sys.maxsize).all()
        assert (table["sampling_rate"] > 0).all()
        assert table["utterance"].is_unique

    tally("cells of a manifest spoiled at random", many(st.lists(cells, max_size=3), 400, check))
