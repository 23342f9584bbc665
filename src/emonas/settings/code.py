"""A digest of the sources that a job runs: its modules and all of the package they import."""

import ast
import hashlib
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path

_PACKAGE = "emonas"
_BLOCKS = ("body", "orelse", "handlers", "finalbody", "cases")
"""Where a statement holds others."""


@cache
def code_digest(*modules: str) -> str:
    """Digest of the modules and their import closure inside the package.

    Imports under `if TYPE_CHECKING` do not count, those in functions do. What a job imports by
    name at run time (a reader, an extractor, ...) is given beside the job's own module. Data
    that lies beside the given modules (a page's templates) counts too.

    Kept: a workflow of thousands of jobs asks for a dozen digests, and all of its jobs are to be of
    the same sources.
    """
    digest = hashlib.sha256()
    for module in sorted(import_closure(*modules)):
        path = _source(module)
        if path is not None:
            digest.update(module.encode() + b"\0" + path.read_bytes() + b"\0")
    for path in sorted({path for module in modules for path in _data_beside(module)}):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def import_closure(*modules: str) -> set[str]:
    """The modules and everything of the package that they import, however far away."""
    found: set[str] = set()
    waiting = list(modules)
    while waiting:
        module = waiting.pop()
        if module not in found:
            found.add(module)
            waiting += _imported(module)
    return found


def _data_beside(module: str) -> Iterator[Path]:
    """The files in a module's folder and below that are no Python."""
    source = _source(module)
    if source is not None:
        for path in source.parent.rglob("*"):
            if path.is_file() and path.suffix not in (".py", ".pyc") and path.name[0] != ".":
                yield path


@cache
def _source(module: str) -> Path | None:
    """The file of a module of the package; None for a name that is none. Nothing is imported."""
    root, *names = module.split(".")
    spec = find_spec(root)
    if spec is None or spec.origin is None:
        return None
    folder = Path(spec.origin).parent.joinpath(*names)
    for path in (folder / "__init__.py", folder.with_name(f"{folder.name}.py")):
        if path.is_file():
            return path
    return None


@cache
def _imported(module: str) -> tuple[str, ...]:
    path = _source(module)
    if path is None:
        return ()
    names: set[str] = set()
    for node in _running_nodes(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names.add(node.module)
            # `from package import module` names a module where there is one of that name.
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    ours = {name for name in names if name.split(".")[0] == _PACKAGE}
    return tuple(sorted(name for name in ours if _source(name) is not None))


def _running_nodes(tree: ast.AST) -> Iterator[ast.AST]:
    """All statements but those under `if TYPE_CHECKING`; nothing within an expression imports."""
    for field in _BLOCKS:
        for node in getattr(tree, field, ()):
            if (
                isinstance(node, ast.If)
                and isinstance(node.test, ast.Name)
                and node.test.id == "TYPE_CHECKING"
            ):
                continue
            yield node
            yield from _running_nodes(node)
