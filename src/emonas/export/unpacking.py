"""Unpacking a bundle, and what in it is not as it was bundled."""

import stat
import tempfile
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

from emonas.errors import EmonasError
from emonas.export.bundle import (
    CONTENTS,
    LOCKS,
    PLAN,
    REPORT,
    RESULTS,
    files_below,
    protocol_file,
    read_contents,
)
from emonas.export.strict_json import TwiceError, read_strictly
from emonas.report.plan import ReportPlan
from emonas.storage.digests import digest_of_file
from emonas.storage.problems import first_problem

LARGEST = 2**36
"""Bytes that an archive may unpack to: 64 GiB."""
_HEAD = b"PK\x03\x04"
"""What an archive begins with."""


@contextmanager
def unpacked(bundle: Path) -> Iterator[Path]:
    """The folder of an unpacked bundle, for a while, and so are the folders beside it.

    Raises:
        EmonasError: the file is no bundle, or a damaged one.
    """
    if not bundle.is_file():
        raise EmonasError(f"{bundle}: there is no such file; give the one that emonas bundle wrote")
    with tempfile.TemporaryDirectory(prefix="emonas-") as name:
        folder = Path(name, "bundle")
        try:
            _unpack(bundle, folder)
            if not (folder / CONTENTS).is_file():
                raise ValueError(f"it has no {CONTENTS}")
            read_contents(folder)
        except (OSError, ValueError, RuntimeError) as error:
            raise EmonasError(
                f"{bundle}: this is no bundle ({first_problem(error)}); give the file that emonas "
                "bundle wrote"
            ) from error
        yield folder


def _unpack(bundle: Path, folder: Path) -> None:
    try:
        with zipfile.ZipFile(bundle) as archive:
            _refuse_strange(archive)
            archive.extractall(folder)
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        with bundle.open("rb") as file:
            if file.read(len(_HEAD)) != _HEAD:
                raise ValueError(first_problem(error)) from error
        raise EmonasError(
            f"{bundle}: the archive is damaged ({first_problem(error)}); fetch it again"
        ) from error


def _refuse_strange(archive: zipfile.ZipFile) -> None:
    """Refuse what would be written elsewhere, or fill the disk."""
    if sum(entry.file_size for entry in archive.infolist()) > LARGEST:
        raise ValueError("it would unpack to more than 64 GiB")
    names = Counter(entry.filename for entry in archive.infolist())
    if twice := next((name for name, count in names.items() if count > 1), ""):
        raise ValueError(f"it holds {twice} twice")
    for entry in archive.infolist():
        name = PurePosixPath(entry.filename)
        mode = entry.external_attr >> 16
        if name.is_absolute() or ".." in name.parts or "\\" in entry.filename:
            raise ValueError(f"it holds {entry.filename}, outside its folder")
        if {"", "."} & set(entry.filename.removesuffix("/").split("/")):
            raise ValueError(f"it holds {entry.filename}, which is another name of a file")
        if stat.S_ISLNK(mode):
            raise ValueError(f"it holds a link, {entry.filename}")


def changed_files(folder: Path) -> Iterator[str]:
    """The files that are not there as they were bundled."""
    there = set(files_below(folder))
    for name, digest in read_contents(folder).files.items():
        if name not in there or digest_of_file(folder / name) != digest:
            yield name


def strange_files(folder: Path, told: ReportPlan) -> Iterator[str]:
    """The files that no bundle of such a plan has, whether its list knows them or not."""
    known = {CONTENTS, PLAN, told.settings_file, *map(protocol_file, told.run_protocols())}
    for name in files_below(folder):
        within = PurePosixPath(name).parts
        lock = len(within) == 1 and fnmatchcase(name, LOCKS)
        if not lock and within[0] not in (RESULTS, REPORT) and name not in known:
            yield name


def added_files(folder: Path) -> Iterator[str]:
    """The files that nobody bundled."""
    known = {CONTENTS, *read_contents(folder).files}
    yield from (name for name in files_below(folder) if name not in known)


def keys_twice(folder: Path) -> Iterator[str]:
    """The JSON files in which a key stands twice in one place, each as a sentence; what is no JSON
    its reader names.
    """
    for name in files_below(folder):
        if name.endswith(".json"):
            try:
                read_strictly(folder / name)
            except TwiceError as error:
                yield f"{name}: {error}"
            except ValueError:
                continue
