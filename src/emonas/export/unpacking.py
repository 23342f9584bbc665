"""Unpacking a bundle, and what in it is not as it was bundled."""

import stat
import tempfile
import zipfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from emonas.errors import EmonasError
from emonas.export.bundle import CONTENTS, PLAN, REPORT, RESULTS, protocol_file, read_contents
from emonas.report.plan import ReportPlan
from emonas.storage.digests import digest_of_file
from emonas.storage.problems import first_problem

LARGEST = 2**36
"""Bytes that an archive may unpack to: 64 GiB."""


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
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        lock = len(name.parts) == 1 and name.match("lock*.txt")
        own = lock or name.parts[0] in (RESULTS, REPORT)
        if path.is_file() and not own and name.as_posix() not in known:
            yield name.as_posix()


def added_files(folder: Path) -> Iterator[str]:
    """The files that nobody bundled."""
    known = {CONTENTS, *read_contents(folder).files}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and name not in known:
            yield name
