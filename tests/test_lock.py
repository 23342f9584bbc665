"""The lock is what pyproject.toml asks for, with hashes of all that has one build for all."""

import re
import tomllib
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]
LOCKS = {name: ROOT / f"envs/{name}.txt" for name in ("lock", "lock-alone", "lock-torch")}
PIN = re.compile(r"(?P<name>[\w.-]+)==(?P<version>[^ ;]+)(?: ; (?P<marker>.+?))?(?=\s*--hash|\s*$)")
NOT_PINNED = {"torchaudio"}
"""Extras that a user installs beside: its builds go with one of torch's."""


def pins(name: str) -> dict[str, tuple[Version, Marker | None, list[str]]]:
    """The version, the marker and the hashes of each package of a lock."""
    text = LOCKS[name].read_text().replace("\\\n", " ")
    found = {}
    for line in text.splitlines():
        if line.startswith("#"):
            continue
        match = PIN.match(line)
        assert match, line
        marker = Marker(match["marker"].strip()) if match["marker"] else None
        package = canonicalize_name(match["name"])
        assert package not in found
        hashes = re.findall(r"--hash=sha256:([0-9a-f]{64})(?= |$)", line)
        found[package] = Version(match["version"]), marker, hashes
    return found


PINNED = {package: pin for name in LOCKS for package, pin in pins(name).items()}


def asked() -> Iterator[Requirement]:
    """What the package and its extras ask for."""
    for line in PROJECT["dependencies"]:
        yield Requirement(line)
    for name, lines in EXTRAS.items():
        for line in lines if name not in NOT_PINNED else ():
            yield Requirement(line)


@pytest.mark.parametrize("requirement", list(asked()), ids=str)
def test_what_is_asked_for_is_pinned_within_its_bounds(requirement):
    version, marker, _ = PINNED[canonicalize_name(requirement.name)]
    assert version in requirement.specifier
    assert marker is None


def test_everything_but_torch_has_hashes():
    assert [package for package, (_, _, hashes) in PINNED.items() if not hashes] == ["torch"]
    assert list(pins("lock-torch")) == ["torch"]
    assert sum(len(pins(name)) for name in LOCKS) == len(PINNED)


def test_nothing_of_one_build_of_torch_is_pinned():
    assert not [name for name in PINNED if re.match("nvidia|cuda|triton", name)]


def test_no_place_of_download_is_named():
    for path in LOCKS.values():
        assert not re.search(r"://|index|find-links|@", path.read_text()), path


def variable(name: str) -> list[str]:
    """The words of a variable of the Makefile."""
    (line,) = re.findall(rf"^{name} := (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    return line.split()


def needed() -> set[str]:
    """All that somebody here asks for, as far as it is installed: what asks for what, to the end.

    What is installed alone brings nothing.
    """
    alone = set(map(canonicalize_name, variable("ALONE")))
    waiting = [*asked(), *map(Requirement, [*variable("ALONE"), *variable("ALONE_NEEDS")])]
    known: set[tuple[str, str]] = set()
    while waiting:
        requirement = waiting.pop()
        package = canonicalize_name(requirement.name)
        for extra in {"", *requirement.extras}:
            if (package, extra) in known:
                continue
            known.add((package, extra))
            try:
                lines = metadata.requires(package) or []
            except metadata.PackageNotFoundError:
                continue
            for inner in map(Requirement, lines if package not in alone else ()):
                if inner.marker is None or inner.marker.evaluate({"extra": extra}):
                    waiting.append(inner)
    return {package for package, _ in known}


def test_what_is_pinned_is_what_somebody_asks_for():
    here = {
        package
        for package, (_, marker, _) in PINNED.items()
        if marker is None or marker.evaluate({"extra": ""})
    }
    asked_for = needed()
    torch_only = {name for name in asked_for if re.match("nvidia|cuda|triton", name)}
    assert asked_for - torch_only - here == set()
    installed = {canonicalize_name(entry.metadata["Name"]) for entry in metadata.distributions()}
    # Of what is not installed here, nobody can say who asks for it.
    assert (here - asked_for) & installed == set()
