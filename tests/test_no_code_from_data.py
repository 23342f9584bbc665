"""Nothing that is read is run: by the syntax trees of all sources, and of the rules."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FOLDERS = ("src", "workflow", "benchmarks", "tests/parity")
SOURCES = sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))
RULES = [ROOT / "Snakefile", *sorted((ROOT / "workflow").rglob("*.smk"))]
MODULES = {"pickle", "cPickle", "_pickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
MODULES |= {"pty", "commands", "code", "codeop"}
CALLS = {"eval", "exec", "compile", "__import__", "execfile"}
UNSAFE = {"os.system", "os.popen", "subprocess.getoutput", "subprocess.getstatusoutput"}
UNSAFE |= {
    "yaml.unsafe_load",
    "yaml.full_load",
    "yaml.load_all",
    "torch.jit.load",
    "torch.hub.load",
    "pickle.load",
    "pickle.loads",
    "pickle.Unpickler",
}
UNSAFE |= {"runpy.run_path", "runpy.run_module", "importlib.import_module"}
UNSAFE |= {
    "pd.read_hdf",
    "pandas.read_hdf",
    "np.loads",
    "pd.read_pickle",
    "pandas.read_pickle",
    "pd.eval",
    "pandas.eval",
}
NEEDED = {
    "torch.load": ("weights_only", True),
    "np.load": ("allow_pickle", False),
    "numpy.load": ("allow_pickle", False),
}
"""Calls that must be given this value in so many words."""
ALLOWED = {
    # The name of torch.load's exception: nothing of the module is called.
    ("src/emonas/checkpoints/reading.py", "import pickle"),
    ("src/emonas/checkpoints/transformers_folder.py", "import pickle"),
    # An attention's projection.
    ("src/emonas/networks/sequence_encoder.py", "self.query() of a text"),
    # Modules of this package, by kinds that are there, and of libraries, by names that we write.
    ("src/emonas/kinds.py", "importlib.import_module()"),
    ("src/emonas/features/encoders/wenet_original.py", "importlib.import_module()"),
    ("src/emonas/features/optional_torchaudio.py", "importlib.import_module()"),
    ("src/emonas/preloading/server.py", "importlib.import_module()"),
    # What the process before imported, by the file in a folder that nobody else may open.
    ("src/emonas/export/stopwatch.py", "importlib.import_module()"),
    # The script of a job, which Snakemake wrote.
    ("src/emonas/preloading/server.py", "runpy.run_path()"),
}
"""What is told to be sound, with the reason."""


def dotted(node: ast.expr) -> str:
    """`torch.load` of a call's function, also behind other values: `x().eval` is `.eval`."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return ""


def faults(source: str) -> Iterator[str]:
    """What a source does that could run what it reads."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield from imports(node)
        elif isinstance(node, ast.Call):
            yield from calls(node)


def imports(node: ast.Import | ast.ImportFrom) -> Iterator[str]:
    names = [entry.name for entry in node.names]
    modules = [node.module or ""] if isinstance(node, ast.ImportFrom) else names
    for module in modules:
        if module.partition(".")[0] in MODULES:
            yield f"import {module}"
        if isinstance(node, ast.ImportFrom):
            # Else the call would not be known by its name.
            yield from (
                f"from {module} import {name}"
                for name in names
                if f"{module}.{name}" in UNSAFE | set(NEEDED) | {"yaml.load", "builtins.eval"}
            )


def calls(node: ast.Call) -> Iterator[str]:
    name = dotted(node.func)
    given = {keyword.arg: keyword.value for keyword in node.keywords}
    if name in CALLS or name in UNSAFE or name.startswith("os.spawn"):
        yield f"{name}()"
    # A table's way to compute what a text says; a network's `eval` takes nothing.
    if name.endswith((".eval", ".query")) and node.args:
        yield f"{name}() of a text"
    if name in ("yaml.load", "yaml.compose") and not dotted(given.get("Loader")).endswith(
        "SafeLoader"
    ):
        yield f"{name} without SafeLoader"
    if name in NEEDED:
        key, value = NEEDED[name]
        if not is_constant(given.get(key), value):
            yield f"{name} without {key}={value}"
    for key in ("shell", "trust_remote_code"):
        if key in given and not is_constant(given[key], False):
            yield f"{name} with {key}"


def is_constant(node: ast.expr | None, value: bool) -> bool:
    return isinstance(node, ast.Constant) and node.value is value


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_source_runs_nothing_that_it_reads(path):
    name = path.relative_to(ROOT).as_posix()
    found = {(name, fault) for fault in faults(path.read_text(encoding="utf-8"))}
    assert not found - ALLOWED


def test_every_exception_is_needed():
    for name, fault in ALLOWED:
        assert fault in set(faults((ROOT / name).read_text(encoding="utf-8")))


@pytest.mark.parametrize(
    "source",
    [
        "import pickle",
        "from pickle import loads",
        "import joblib.numpy_pickle",
        "eval(x)",
        "exec(x)",
        "os.system('ls')",
        "subprocess.run(x, shell=True)",
        "subprocess.Popen(x, shell=flag)",
        "yaml.load(x)",
        "yaml.load(x, Loader=yaml.FullLoader)",
        "from yaml import load",
        "torch.load(x)",
        "torch.load(x, weights_only=False)",
        "np.load(x)",
        "np.load(x, allow_pickle=True)",
        "pd.read_pickle(x)",
        "pd.read_hdf(x)",
        "table.query(x)",
        "runpy.run_path(x)",
        "importlib.import_module(x)",
        "pickle.loads(x)",
        "AutoModel.from_pretrained(x, trust_remote_code=flag)",
    ],
)
def test_it_would_be_found(source):
    assert list(faults(source))


@pytest.mark.parametrize(
    "source", ["model.eval()", "np.load(x, allow_pickle=False)", "re.compile(x)", "table.eval_(x)"]
)
def test_what_is_sound_is_not_found(source):
    assert not list(faults(source))


@pytest.mark.parametrize("path", RULES, ids=lambda path: path.name)
def test_no_rule_has_a_shell(path):
    """Names of files and settings would stand in its text; scripts get them as values."""
    text = re.sub(r"#.*", "", path.read_text(encoding="utf-8"))
    assert not re.search(r"^\s*(shell|run)\s*:", text, re.MULTILINE)
    assert not re.search(r"\b(shell|eval|exec|system|popen)\s*\(", text)
