import errno
import os
import resource
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest
import torch

from emonas.errors import EmonasError
from emonas.learning.resume import ResumePoint, resume_point

WAITER = """
import sys
from pathlib import Path
from emonas.learning.resume import resume_point

root, log = Path(sys.argv[1]), Path(sys.argv[2])
log.with_name("started").touch()
with resume_point(root, "train", {"name": "a"}, []) as point:
    with log.open("a") as file:
        file.write("second found %s\\n" % point.load())
"""


def folders(root):
    return [path for path in root.rglob("*") if path.is_dir() and path.parent != root]


def save(root, params, inputs=()):
    """Keep a state and fail."""
    with resume_point(root, "train", params, inputs) as point:
        point.save({"epoch": 3})
        raise RuntimeError


def found(root, params, inputs=()):
    with resume_point(root, "train", params, inputs) as point:
        return point.load()


def test_states_come_back_and_are_forgotten(tmp_path):
    point = ResumePoint(tmp_path / "a b")
    assert point.load() is None
    state = {"weights": torch.randn(3), "list": [1, 2.5, "text"], "nested": {"a": None}}
    point.save(state)
    point.save({"other": 1}, "other")
    back = point.load()
    assert torch.equal(back.pop("weights"), state.pop("weights"))
    assert back == state
    part = point.part("inside")
    assert part.load() is None
    part.save({"inside": True})
    assert (part.load(), point.load("other")) == ({"inside": True}, {"other": 1})
    point.forget()
    point.forget()
    assert point.load() is None
    assert point.load("other") == {"other": 1}


def test_without_a_folder_nothing_is_kept(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    point = ResumePoint()
    point.save({"a": 1})
    assert not point.keeps
    assert not point.part("b").keeps
    assert point.load() is None
    point.forget()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [b"", b"rubbish", b"PK\x03\x04rubbish"])
def test_a_damaged_state_is_none_and_told(tmp_path, content, caplog):
    (tmp_path / "state.pt").write_bytes(content)
    assert ResumePoint(tmp_path).load() is None
    assert "state.pt: damaged" in caplog.text


@pytest.mark.parametrize(
    "failing",
    [
        MemoryError(),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"),
        *(OSError(number, os.strerror(number)) for number in (errno.EIO, errno.ESTALE)),
    ],
    ids=lambda error: type(error).__name__ + str(getattr(error, "errno", "")),
)
def test_a_machine_that_fails_throws_no_state_away(tmp_path, monkeypatch, failing):
    """Of a disk that gives nothing: no job begins anew for it."""
    point = ResumePoint(tmp_path)
    point.save({"epoch": 3})

    def load(*_, **__):
        raise failing

    with monkeypatch.context() as patch:
        patch.setattr(torch, "load", load)
        with pytest.raises(EmonasError, match=r"state\.pt: can't be read \(.+\); run again when"):
            point.load()
    assert point.load() == {"epoch": 3}


def test_too_many_open_files_throw_no_state_away(tmp_path):
    ResumePoint(tmp_path).save({"epoch": 3})
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    opened = len(list(Path("/proc/self/fd").iterdir()))
    held = []
    resource.setrlimit(resource.RLIMIT_NOFILE, (opened + 8, limit[1]))
    try:
        with suppress(OSError):
            while True:
                held.append(os.dup(1))
        with pytest.raises(EmonasError, match="Too many open files"):
            ResumePoint(tmp_path).load()
    finally:
        for number in held:
            os.close(number)
        resource.setrlimit(resource.RLIMIT_NOFILE, limit)
    assert ResumePoint(tmp_path).load() == {"epoch": 3}


class Evil:
    def __reduce__(self):
        return os.mkdir, ("reached",)


def test_a_state_runs_no_code(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.save({"a": Evil()}, tmp_path / "state.pt")
    assert ResumePoint(tmp_path).load() is None
    assert not (tmp_path / "reached").exists()


def test_the_folder_stays_when_the_job_fails_and_goes_when_it_ends_well(tmp_path):
    with pytest.raises(RuntimeError):
        save(tmp_path, {"name": "a"})
    assert len(folders(tmp_path)) == 1
    assert found(tmp_path, {"name": "a"}) == {"epoch": 3}
    assert folders(tmp_path) == []
    assert list((tmp_path / "train").iterdir()) == []
    assert found(tmp_path, {"name": "a"}) is None


@pytest.mark.parametrize("size", [10, 2_000_000])
def test_other_options_code_or_inputs_are_another_point(tmp_path, size):
    path = tmp_path / "input.h5"
    path.write_bytes(b"1" * size)
    params = {"name": "a", "code": "1"}
    with pytest.raises(RuntimeError):
        save(tmp_path / "resume", params, [path])
    assert found(tmp_path / "resume", {**params, "code": "2"}, [path]) is None
    assert found(tmp_path / "resume", params, []) is None
    before = path.stat()
    path.write_bytes(b"2" * size)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns + 10))
    assert found(tmp_path / "resume", params, [path]) is None
    path.write_bytes(b"1" * size)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert found(tmp_path / "resume", dict(reversed(params.items())), [path]) == {"epoch": 3}


def test_another_process_of_the_same_job_waits(tmp_path):
    log = tmp_path / "log"
    with resume_point(tmp_path / "resume", "train", {"name": "a"}, []) as point:
        point.save({"epoch": 1})
        command = [sys.executable, "-c", WAITER, str(tmp_path / "resume"), str(log)]
        waiter = subprocess.Popen(command)
        while not (tmp_path / "started").exists():
            assert waiter.poll() is None
            time.sleep(0.05)
        time.sleep(1.0)
        assert waiter.poll() is None
        with log.open("a") as file:
            file.write("first ends\n")
    assert waiter.wait(60) == 0
    # The first ended well, so the second finds nothing to go on from.
    assert log.read_text() == "first ends\nsecond found None\n"
    assert list((tmp_path / "resume" / "train").iterdir()) == []


def test_jobs_that_differ_do_not_wait_for_each_other(tmp_path):
    with (
        resume_point(tmp_path, "train", {"name": "a"}, []),
        resume_point(tmp_path, "train", {"name": "b"}, []),
        resume_point(tmp_path, "search", {"name": "a"}, []),
    ):
        pass
