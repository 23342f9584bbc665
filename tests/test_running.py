import subprocess
import sys

import pytest

from emonas.errors import EmonasError
from emonas.running import hold, only_looks

HOLDER = """
import sys
from pathlib import Path
from emonas.running import hold

lock = hold(Path(sys.argv[1]), ["--cores", "1"])
print("held", flush=True)
sys.stdin.readline()
"""


@pytest.fixture
def other(tmp_path):
    """Another process that holds the folder."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()


@pytest.mark.parametrize(
    "asked", [["--cores", "2"], ["--unlock"], ["--touch"], ["-c2"], ["-Rtrain"], ["-sn"], []]
)
def test_the_second_is_refused_and_told_who_holds_it(tmp_path, other, asked):
    with pytest.raises(EmonasError, match=rf"process {other.pid} on .*, since .*not while one"):
        hold(tmp_path, asked)


@pytest.mark.parametrize(
    "asked",
    [
        ["-n"],
        ["-np"],
        ["-pn"],
        ["-nc2"],
        ["--dry-run"],
        ["--report=a.html"],
        ["--cores", "1", "--nolock"],
    ],
)
def test_who_only_looks_is_not_refused_and_holds_nothing(tmp_path, other, asked):
    assert hold(tmp_path, asked) is None


def test_a_run_without_a_lock_changes_files():
    assert only_looks(["--cores", "1", "-kn"])
    assert not only_looks(["--cores", "1", "--nolock", "--keep-going", "-k", "results/-n"])


def test_it_is_free_when_its_holder_is_killed(tmp_path, other):
    other.kill()
    other.wait()
    lock = hold(tmp_path, [])
    assert lock is not None
    lock.release()
