"""Packages whose import compiles loops, imported by one process at a time."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from tempfile import gettempdir
from types import ModuleType

from filelock import FileLock

from emonas.errors import EmonasError
from emonas.packages import package_folder


@cache
def load_librosa() -> ModuleType:
    """Give librosa, with all that its spectra, features and pitch need.

    Their import compiles loops with numba, which keeps them on disk for the next process. Two
    processes that compile at the same time can leave files that do not fit together, and these end
    every process that loads them by a signal. So the second waits until the first is done.

    Raises:
        EmonasError: numba finds no folder in which it can keep them.
    """
    import librosa

    folder = _kept_in()
    lock = FileLock(folder / "emonas-librosa.lock")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except OSError:
        # Where nothing can be written, it was compiled before, or numba says so below.
        pass
    try:
        # It imports the others that compile: librosa itself does so only when they are used.
        import librosa.feature.spectral
    except RuntimeError as error:
        if "cannot cache" not in str(error):
            raise
        raise EmonasError(
            f"librosa can't be imported ({error}); set NUMBA_CACHE_DIR to a folder that can be "
            "written, for the loops that numba compiles"
        ) from error
    finally:
        lock.release()
    module: ModuleType = librosa
    return module


def _kept_in() -> Path:
    """Where numba keeps what librosa compiles, or beside it: by the same order of places."""
    if given := os.environ.get("NUMBA_CACHE_DIR"):
        return Path(given)
    package = package_folder("librosa")
    if package is not None and os.access(package, os.W_OK):
        return package / "__pycache__"
    if given := os.environ.get("XDG_CACHE_HOME"):
        return Path(given) / "numba"
    try:
        return Path.home() / ".cache" / "numba"
    except RuntimeError:
        # A user whom this machine does not know.
        return Path(gettempdir()) / "numba"
