"""Unpacking a bundle, and what in it is not as it was bundled."""

import os
import stat
import tempfile
import zipfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

from emonas.errors import DamagedFileError, EmonasError
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
from emonas.export.held import Verified
from emonas.report.plan import ReportPlan
from emonas.storage.digests import digest_of_file
from emonas.storage.problems import first_problem

LARGEST = 2**36
"""Bytes that an archive may unpack to: 64 GiB."""
STRIPPED, WHOLE = "stripped", "whole"
"""Folders of an unpacked bundle into which its results are copied."""


@contextmanager
def unpacked(bundle: Path) -> Iterator[Path]:
    """The folder of an unpacked bundle, for a while.

    Raises:
        EmonasError: the file is no bundle.
    """
    if not bundle.is_file():
        raise EmonasError(f"{bundle}: there is no such file; give the one that emonas bundle wrote")
    with tempfile.TemporaryDirectory(prefix="emonas-") as name:
        folder = Path(name)
        try:
            with zipfile.ZipFile(bundle) as archive:
                _refuse_strange(archive)
                archive.extractall(folder)
            if not (folder / CONTENTS).is_file():
                raise ValueError(f"it has no {CONTENTS}")
            read_contents(folder)
        except (OSError, ValueError, zipfile.BadZipFile, RuntimeError) as error:
            raise EmonasError(
                f"{bundle}: this is no bundle ({first_problem(error)}); give the file that emonas "
                "bundle wrote"
            ) from error
        yield folder


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
        if stat.S_ISLNK(mode):
            raise ValueError(f"it holds a link, {entry.filename}")


def changed_files(folder: Path) -> Iterator[str]:
    """The files that are not there as they were bundled."""
    for name, digest in read_contents(folder).files.items():
        path = folder / name
        if not path.is_file() or digest_of_file(path) != digest:
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


def damaged(error: DamagedFileError, folder: Path) -> Verified:
    """A file that can't be read, or is not there, by its place in the bundle."""
    name = within_bundle(str(error.path), folder)
    problem = error.problem if error.path.exists() else "is not in the bundle"
    return Verified(0, [f"{name}: {within_bundle(problem, folder)}"])


def within_bundle(sentence: str, folder: Path) -> str:
    """A sentence about files of an unpacked bundle, by their places in the bundle."""
    for copied in (STRIPPED, WHOLE):
        sentence = sentence.replace(f"{folder / copied}{os.sep}", f"{RESULTS}/")
    return sentence.replace(f"{folder}{os.sep}", "")
