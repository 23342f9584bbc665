"""Settings that somebody else wrote: a sentence with the key or the file, and never a traceback."""

import copy
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from emonas.errors import EmonasError, one_line
from emonas.settings.load import check_settings, load_settings
from emonas.settings.messages import sentence
from emonas.settings.plan import Plan

EMONAS = [sys.executable, "-c", "from emonas.cli import app; app()"]
AWKWARD = [
    *(None, True, -1, 0, 2**63, 10**400, 1e308, float("inf"), float("nan")),
    *("", "~", "~nobody/x", "{x}", "../../x", "/", "a\nb", "a\0b", "\ud800", "\x1b[2J", "x" * 5000),
    *("(" * 5000 + ")" * 5000, "a{99999999999999999999}", "<huge>"),
    *("fbank", "speaker", "cells", "darts", "cnn", "none", "<script>alert(1)</script>"),
]
HUGE = {"<huge>": 1 << 400_000}
"""Stands for a number that Python refuses to write, as hypothesis would have to."""
KEYS = ["for", "fuse", "search", "network", "reader", "extractor", "inputs", "test", "root", "file"]
KEYS += ["roots", "tables", "figures", "checkpoints", "runtime", "transcripts", "recognition"]
KEYS += ["training", "seeds", "list", "table", "transfer", "labels", "{x}", "a b"]
key = st.one_of(st.sampled_from(KEYS), st.text(max_size=5), st.integers(), st.none())
junk = st.recursive(
    st.one_of(st.sampled_from(AWKWARD), st.integers(), st.floats(), st.text(max_size=8)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(key, inner, max_size=3),
    max_leaves=6,
)


def places(value: object, path: tuple = ()) -> Iterator[tuple]:
    """The path of every value in a document."""
    if path:
        yield path
    inner = value.items() if isinstance(value, dict) else ()
    inner = enumerate(value) if isinstance(value, list) else inner
    for name, entry in inner:
        yield from places(entry, (*path, name))


def at(document: dict, path: tuple) -> object:
    for name in path:
        document = document[name]
    return document


def enlarged(value: object) -> object:
    """The value with the numbers in it that hypothesis can't write."""
    if isinstance(value, dict):
        return {name: enlarged(entry) for name, entry in value.items()}
    if isinstance(value, list):
        return [enlarged(entry) for entry in value]
    return HUGE.get(value, value) if isinstance(value, str) else value


@st.composite
def spoiled(draw, document: dict) -> dict:
    """The document with one to three values set, taken away, added, or put in another's place."""
    document = copy.deepcopy(document)
    for _ in range(draw(st.integers(1, 3))):
        *path, last = draw(st.sampled_from(list(places(document))))
        here = at(document, path)
        change = draw(st.sampled_from(["set", "drop", "add", "swap"]))
        if change == "set":
            here[last] = draw(junk)
        elif change == "drop":
            del here[last]
        elif change == "swap":
            here[last] = copy.deepcopy(at(document, draw(st.sampled_from(list(places(document))))))
        elif isinstance(here, dict):
            here[draw(key)] = draw(junk)
        else:
            here.append(draw(junk))
    return document


@pytest.mark.fault
def test_spoiled_settings_are_a_sentence_with_a_key(document, monkeypatch, tmp_path, tally):
    monkeypatch.chdir(tmp_path)
    tried = []

    @examples(
        max_examples=800, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
    )
    @given(spoiled(document))
    def check(changed):
        tried.append(1)
        try:
            Plan(check_settings(enlarged(changed)))
        except EmonasError as error:
            said = str(error)
            assert said.isprintable()
            tops = {"settings", *document, *KEYS, *(one_line(str(top)) for top in changed)}
            assert said.startswith(tuple(tops - {""})), said

    check()
    tally("settings spoiled at random", len(tried))


@pytest.mark.fault
def test_bytes_that_are_no_settings_are_a_sentence_with_the_file(document, tmp_path, tally):
    path = tmp_path / "my settings.yaml"
    text = yaml.safe_dump(document).encode()
    tried, said = [], []

    @examples(max_examples=300, deadline=None, derandomize=True)
    @given(
        st.integers(0, len(text)),
        st.integers(0, 40),
        st.one_of(
            st.binary(max_size=12),
            st.sampled_from(
                [b"&a ", b"*a", b"!!int x", b"!!bool x", b"2001-99-99", b"<<: ", b"\t"]
            ),
            st.sampled_from(
                [b"!!python/object/apply:os.system [ls]", b"? [a]\n: b", b"%", b"---\n"]
            ),
        ),
    )
    def check(place, gone, new):
        path.write_bytes(text[:place] + new + text[place + gone :])
        tried.append(1)
        try:
            load_settings(path)
        except EmonasError as error:
            said.append(str(error))

    check()
    assert all(sentence.isprintable() for sentence in said)
    tally("bytes of a settings file spoiled at random", len(tried))


LAUGHS = "".join(f"x{n + 1}: &x{n + 1} [{', '.join([f'*x{n}'] * 9)}]\n" for n in range(12))
FILES = [
    ("title: a\nruns: []\ntitle: b\n", "line 3: title stands there twice; keep one of them"),
    (
        "systems:\n  rnn: {network: linear}\n  'rnn': {network: resnet}\n",
        "line 3: systems.rnn stands there twice; keep one of them",
    ),
    ("runs: [{seeds: 1, seeds: 2}]", "line 1: runs.0.seeds stands there twice; keep one of them"),
    ("__use_yte__: true\ntitle: ?print(1)", "makes Snakemake run the file's text as Python"),
    (f"x0: &x0 [lol]\n{LAUGHS}", "stands for more than 1,000,000 values; use fewer"),
    ("title: &a [*a]", "line 1: title.0 holds itself; write it out"),
    ("title: " + "[" * 5000, "this is no YAML|nested too deeply"),
    ("title: 2001-99-99", "this is no YAML (month must be in 1..12"),
    ("title: !!int ''", "this is no YAML ("),
    ("title: !!bool x", "this is no YAML ("),
    ("title: " + "9" * 5000, "this is no YAML ("),
    ("? [a]\n: b", "line 1: a key of the file is no text; write a name"),
    ("title: !!python/object/apply:os.system ['touch pwned']", "this is no YAML (could not"),
    ("title: !!python/name:os.system", "this is no YAML (could not"),
    ("a: b: c", "this is no YAML ("),
    ("title: a\ttab", "this is no YAML ("),
    ("\ufefftitle: a", "protocols: is missing"),
]


@pytest.mark.fault
@pytest.mark.parametrize(("text", "expected"), FILES, ids=range(len(FILES)))
def test_a_file_that_is_meant_to_do_harm(tmp_path, monkeypatch, tally, text, expected):
    monkeypatch.chdir(tmp_path)
    Path("evil.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(EmonasError) as caught:
        load_settings(Path("evil.yaml"))
    said = str(caught.value)
    assert any(words in said for words in expected.split("|")), said
    assert said.startswith(("evil.yaml: ", "protocols: "))
    assert said.isprintable()
    assert not Path("pwned").exists()
    tally("settings file that is meant to do harm")


@pytest.mark.fault
@pytest.mark.parametrize(
    ("path", "text", "words"),
    [
        (("seeds",), "0x" + "f" * 100_000, "seeds: is a number of 400,000 bits"),
        (("title",), "59" + ":59" * 20_000, "title: is a number of 118,1"),
        (("runs", 0, "seeds"), [1, 1 << 400_000], "runs.0.seeds.1: is a number of 400,001 bits"),
        (("systems",), {1 << 400_000: {}}, "systems: is a number of 400,001 bits"),
        (("corpora", "own", "speaker"), "(" * 5000 + ")" * 5000, "is no regular expression"),
        (("corpora", "own", "speaker"), "a{99999999999999999999}", "is no regular expression"),
    ],
    ids=range(6),
)
def test_values_that_python_itself_refuses(document, tmp_path, tally, path, text, words):
    value = yaml.safe_load(text) if words.startswith(("seeds", "title")) else text
    at(document, path[:-1])[path[-1]] = value
    with pytest.raises(EmonasError) as caught:
        check_settings(document)
    said = str(caught.value)
    assert words in said
    assert said.startswith(path[0])
    assert len(said) < 300
    tally("values that Python refuses")


def test_what_can_not_be_repeated_is_told_without():
    """A list in lists without an end, which repr gives up; a number is refused before."""
    nested: list = []
    for _ in range(100_000):
        nested = [nested]

    class Model(BaseModel):
        title: str

    with pytest.raises(ValidationError) as caught:
        Model(title=nested)
    told = sentence(caught.value, {"title": nested}, frozenset({"title"}))
    assert told == "title: must be text, not a value that is too large to be repeated"


def test_a_key_that_is_merged_may_stand_beside_its_own(document, tmp_path):
    features = document.pop("features")
    text = yaml.safe_dump(document)
    text += "features:\n  fbank: &base {extractor: fbank}\n  spare: {<<: *base, bands: 20}\n"
    text += f"  image: {features['image']}\n"
    (tmp_path / "s.yaml").write_text(text)
    assert load_settings(tmp_path / "s.yaml").features["spare"].bands == 20


@pytest.mark.fault
@pytest.mark.parametrize(
    ("path", "value", "ends"),
    [
        ((), None, 0),
        (("title",), "<script>alert(1)</script>", 0),
        (("title",), "a\0b", 1),
        (("corpora", "../../x"), {"reader": "folders"}, 1),
        (("corpora", "own"), {"reader": "csv", "table": "t" * 999}, 1),
        (("roots",), {1: "x"}, 1),
        (("features", "fbank", "bands"), 10**400, 0),
        (("systems", "s{a}"), {"for": {"a": [1], "b": "\x1b[2J"}}, 1),
        (("runs", 0, "systems"), [["linear"]], 1),
    ],
    # A value of four hundred digits would be the name of a file of counts.
    ids=["sound", "script", "zero byte", "name", "long path", "number", "digits", "escape", "list"],
)
def test_the_command_ends_with_a_sentence(document, tmp_path, tally, path, value, ends):
    if path:
        at(document, path[:-1])[path[-1]] = value
    (tmp_path / "s.yaml").write_text(yaml.safe_dump(document, allow_unicode=True))
    done = subprocess.run(
        [*EMONAS, "check", "s.yaml"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == ends, done.stderr
    assert "Traceback" not in done.stderr + done.stdout
    if ends:
        (line,) = done.stderr.splitlines()
        assert line.startswith("emonas: ")
        assert line.isprintable()
    tally("emonas check of hostile settings")
