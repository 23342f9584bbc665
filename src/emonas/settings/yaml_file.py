"""A settings file as plain values: nothing in it is run, and no key stands there twice."""

from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml

from emonas.errors import EmonasError

TEMPLATE = "__use_yte__"
"""With this key, Snakemake would run what stands behind question marks as Python."""
MOST = 1_000_000
"""Values of a file, aliases written out: a few lines of aliases can stand for billions."""
_MERGE = "tag:yaml.org,2002:merge"


def read_yaml(path: Path) -> Any:
    """Read a settings file.

    Raises:
        EmonasError: it is missing or no YAML, a key stands twice in one place, it is a template, or
            it is without an end.
    """
    try:
        text = path.read_text(encoding="utf-8")
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        if node is not None:
            _Size(path).of(node)
        return yaml.safe_load(text)
    except EmonasError:
        raise
    except OSError as error:
        raise EmonasError(f"{path}: can't be read ({error.strerror})") from error
    except RecursionError as error:
        raise EmonasError(f"{path}: its lists and keys are nested too deeply") from error
    # A value that is tagged as what it is not raises nearly anything from within its constructor.
    except Exception as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise EmonasError(f"{path}: this is no YAML ({reason})") from error


class _Size:
    """Counts the values of a file, each alias as what it stands for, and refuses double keys."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._sizes: dict[int, int] = {}
        self._open: set[int] = set()

    def of(self, node: yaml.Node, place: str = "") -> int:
        """How many values a node stands for.

        Raises:
            EmonasError: it has a key twice, holds itself, or stands for too many values.
        """
        if isinstance(node, yaml.ScalarNode):
            return 1
        if id(node) in self._open:
            raise self._refused(node, f"{place or 'settings'} holds itself; write it out")
        if id(node) not in self._sizes:
            self._open.add(id(node))
            inner = self._inner(node, place)
            self._sizes[id(node)] = 1 + sum(self.of(value, name) for name, value in inner)
            self._open.discard(id(node))
        if self._sizes[id(node)] > MOST:
            raise self._refused(
                node, f"{place or 'settings'} stands for more than {MOST:,} values; use fewer"
            )
        return self._sizes[id(node)]

    def _inner(self, node: yaml.Node, place: str) -> list[tuple[str, yaml.Node]]:
        if isinstance(node, yaml.MappingNode):
            self._check_keys(node, place)
            return [(_joined(place, key.value), value) for key, value in node.value]
        return [(_joined(place, number), value) for number, value in enumerate(node.value)]

    def _check_keys(self, node: yaml.MappingNode, place: str) -> None:
        known: set[Hashable] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise self._refused(key, f"a key of {place or 'the file'} is no text; write a name")
            name = _joined(place, key.value)
            if key.value == TEMPLATE:
                raise self._refused(
                    key, f"{name} makes Snakemake run the file's text as Python; write it out"
                )
            if (key.tag, key.value) in known and key.tag != _MERGE:
                raise self._refused(key, f"{name} stands there twice; keep one of them")
            known.add((key.tag, key.value))

    def _refused(self, node: yaml.Node, reason: str) -> EmonasError:
        return EmonasError(f"{self._path}: line {node.start_mark.line + 1}: {reason}")


def _joined(place: str, name: object) -> str:
    return f"{place}.{name}" if place else str(name)
