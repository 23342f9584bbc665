"""Which sources a job runs: the import closure of its modules."""

import importlib
import sys

import pytest

from emonas.settings import code


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package of that name in the place of emonas, whose sources a test may write."""
    root = tmp_path / "some sources" / "toy"
    root.mkdir(parents=True)
    sources = {
        "__init__": "",
        "job": "import json\nimport toy.direct\nfrom toy import sibling\nfrom toy.lazy import f\n",
        "direct": "from typing import TYPE_CHECKING\n"
        "if TYPE_CHECKING:\n    from toy import typed\n",
        "sibling": "",
        "lazy": "def f():\n    import toy.heavy\n",
        "heavy": "class C:\n    def g(self):\n        from toy.deep.inner import name\n",
        "deep/__init__": "",
        "deep/inner": "name = 1\n",
        "typed": "",
        "unrelated": "",
    }
    (root / "deep").mkdir()
    for name, text in sources.items():
        (root / f"{name}.py").write_text(text)
    monkeypatch.syspath_prepend(str(root.parent))
    monkeypatch.setattr(code, "_PACKAGE", "toy")
    forget()
    yield root
    forget()
    for name in [name for name in sys.modules if name.split(".")[0] == "toy"]:
        del sys.modules[name]


def forget():
    code.code_digest.cache_clear()
    code._source.cache_clear()
    code._imported.cache_clear()
    importlib.invalidate_caches()


def digest(*modules):
    forget()
    return code.code_digest(*modules)


def test_imports_in_functions_count_and_those_for_type_checkers_do_not(package):
    assert {
        "toy",
        "toy.job",
        "toy.direct",
        "toy.sibling",
        "toy.lazy",
        "toy.heavy",
        "toy.deep.inner",
    } == code.import_closure("toy.job")


@pytest.mark.parametrize("module", ["job", "direct", "sibling", "lazy", "heavy", "deep/inner"])
def test_a_change_of_what_is_imported_changes_the_digest(package, module):
    before = digest("toy.job")
    with (package / f"{module}.py").open("a") as file:
        file.write("# a comment\n")
    assert digest("toy.job") != before


@pytest.mark.parametrize("module", ["typed", "unrelated", "brandnew"])
def test_a_change_elsewhere_does_not(package, module):
    before = digest("toy.job")
    with (package / f"{module}.py").open("a") as file:
        file.write("# a comment\n")
    assert digest("toy.job") == before


def test_data_beside_a_job_counts_and_what_python_and_editors_leave_there_does_not(package):
    before = digest("toy.deep.inner")
    (package / "deep/pages").mkdir()
    (package / "deep/pages/.index.html.swp").write_text("an editor's")
    (package / "deep/__pycache__").mkdir()
    (package / "deep/__pycache__/inner.cpython-311.pyc").write_bytes(b"compiled")
    assert digest("toy.deep.inner") == before
    page = package / "deep/pages/index.html"
    page.write_text("one")
    with_page = digest("toy.deep.inner")
    page.write_text("two")
    assert len({before, with_page, digest("toy.deep.inner")}) == 3


def test_importing_runs_nothing(package):
    (package / "sibling.py").write_text("raise RuntimeError('this ran')\n")
    assert digest("toy.job")


@pytest.mark.parametrize(
    ("job", "inside", "outside"),
    [
        ("emonas.report.job", "emonas.storage.metrics", "emonas.evaluate.scores"),
        ("emonas.evaluate.job", "emonas.evaluate.scores", "emonas.learning.loop"),
        ("emonas.fuse.job", "emonas.networks.fusion", "emonas.networks.resnet"),
        ("emonas.train.job", "emonas.learning.loop", "emonas.networks.search_cells"),
        ("emonas.features.job", "emonas.storage.features", "emonas.features.extractors.fbank"),
        ("emonas.systems.kinds.resnet", "emonas.networks.resnet", "emonas.networks.derived_cells"),
        ("emonas.systems.kinds.linear", "emonas.networks.linear", "emonas.networks.resnet"),
    ],
)
def test_closures_of_the_stages(job, inside, outside):
    closure = code.import_closure(job)
    assert inside in closure
    assert outside not in closure
    assert not [name for name in closure if name.startswith("emonas.settings")]
