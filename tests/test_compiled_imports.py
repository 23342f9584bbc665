"""librosa's compiled loops, which two processes at once must not write."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from emonas import compiled_imports
from emonas.errors import EmonasError

PITCH = """
import numpy as np
from emonas.compiled_imports import load_librosa
from emonas.errors import EmonasError
seconds = np.arange(8000) / 16000
pitch = load_librosa().yin(np.sin(2 * np.pi * 200 * seconds), fmin=70, fmax=400, sr=16000)
print("pitch", round(float(np.median(pitch))))
"""


@pytest.mark.long
@pytest.mark.fault
def test_of_processes_that_begin_at_the_same_time_one_compiles(tmp_path, tally):
    cache = tmp_path / "numba cache"
    told = {**os.environ, "NUMBA_CACHE_DIR": str(cache), "NUMBA_DEBUG_CACHE": "1"}
    command = [sys.executable, "-c", PITCH]
    begun = [
        subprocess.Popen(command, env=told, stdout=subprocess.PIPE, text=True) for _ in range(3)
    ]
    said = [process.communicate()[0] for process in begun]
    assert [process.returncode for process in begun] == [0, 0, 0]
    assert all("pitch 200" in text for text in said)
    written = [text.count("data saved to") for text in said]
    assert sorted(written)[:2] == [0, 0]
    assert max(written) > 0
    for text, own in zip(said, written, strict=True):
        assert own or re.search(r"data loaded from .*_pi_wrapper", text)
    assert not list(cache.rglob("*.tmp.*"))
    tally("processes that compile librosa's loops at the same time", 3)


@pytest.mark.parametrize("name", ["NUMBA_CACHE_DIR", "XDG_CACHE_HOME"])
def test_the_lock_lies_where_numba_keeps_what_it_compiles(tmp_path, monkeypatch, name):
    for other in ("NUMBA_CACHE_DIR", "XDG_CACHE_HOME"):
        monkeypatch.delenv(other, raising=False)
    monkeypatch.setattr(compiled_imports, "package_folder", lambda _: None)
    assert compiled_imports._kept_in() == Path.home() / ".cache/numba"
    monkeypatch.setenv(name, str(tmp_path))
    assert compiled_imports._kept_in() == tmp_path / ("numba" if "XDG" in name else "")


def test_where_nobody_knows_a_home_librosa_is_imported_all_the_same(monkeypatch):
    """As a container's user whom the machine does not know."""

    def unknown():
        raise RuntimeError("Could not determine home directory.")

    for other in ("NUMBA_CACHE_DIR", "XDG_CACHE_HOME"):
        monkeypatch.delenv(other, raising=False)
    monkeypatch.setattr(compiled_imports, "package_folder", lambda _: None)
    monkeypatch.setattr(Path, "home", unknown)
    assert compiled_imports._kept_in().parent.is_dir()
    assert compiled_imports.load_librosa.__wrapped__().__name__ == "librosa"


def test_without_a_place_for_the_lock_librosa_is_imported_all_the_same(tmp_path, monkeypatch):
    (tmp_path / "a file").write_text("")
    monkeypatch.setattr(compiled_imports, "_kept_in", lambda: tmp_path / "a file" / "below")
    assert compiled_imports.load_librosa.__wrapped__().__name__ == "librosa"


def test_where_numba_can_keep_nothing_the_remedy_is_told(monkeypatch):
    class Refusing:
        def find_spec(self, name, *_):
            if name == "librosa.feature.spectral":
                raise RuntimeError("cannot cache function: no locator available")

    monkeypatch.delitem(sys.modules, "librosa.feature.spectral", raising=False)
    monkeypatch.setattr(sys, "meta_path", [Refusing(), *sys.meta_path])
    with pytest.raises(EmonasError, match=r"no locator available\); set NUMBA_CACHE_DIR"):
        compiled_imports.load_librosa.__wrapped__()
