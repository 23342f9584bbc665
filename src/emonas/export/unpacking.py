"""Unpacking a bundle, and what in it is not as it was bundled."""

import stat
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from emonas.errors import EmonasError
from emonas.export.bundle import CONTENTS, read_contents
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


def added_files(folder: Path) -> Iterator[str]:
    """The files that nobody bundled."""
    known = {CONTENTS, *read_contents(folder).files}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and name not in known:
            yield name
