"""Jobs as forks of a process that has loaded the libraries: what they see, and how they end."""

import os
import shlex
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from emonas.preloading import PATIENCE, THREADS, start_server
from emonas.preloading import server as server_module
from emonas.preloading.server import listen

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="jobs are forked on Linux only")
PATIENT = 60


@pytest.fixture
def server(request):
    started = start_server(sys.executable, patience=getattr(request, "param", PATIENCE))
    address = address_of(started)
    yield started
    started.process.stdin.close()
    wait_for(lambda: not address.parent.exists())


def address_of(server):
    return Path(shlex.split(server.python)[-1])


def wait_for(condition):
    begun = time.monotonic()
    while not condition():
        assert time.monotonic() - begun < PATIENT
        time.sleep(0.02)


@pytest.fixture
def start(server, tmp_path):
    """Start a script as the workflow does."""

    def start_script(text, *arguments, **environment):
        script = tmp_path / "a script.py"
        script.write_text(text)
        return subprocess.Popen(
            [*shlex.split(server.python), str(script), *arguments],
            cwd=tmp_path,
            env={**os.environ, **dict.fromkeys(THREADS, "1"), **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return start_script


def test_a_script_that_asks_before_the_process_listens_waits_for_it(server, start):
    os.kill(server.process.pid, signal.SIGSTOP)
    job = start("import sys; print(sys.orig_argv)")
    time.sleep(0.5)
    waits = job.poll() is None
    os.kill(server.process.pid, signal.SIGCONT)
    assert waits
    assert "server.py" in job.communicate(timeout=PATIENT)[0]


def test_a_script_sees_what_it_sees_in_a_python_of_its_own(start, tmp_path):
    text = """
import os, sys
from pathlib import Path
print(__name__, Path(__file__).name, sys.argv[1:], os.getcwd(), os.environ["OWN"], sys.path[0])
print(sys.modules["__main__"].__dict__ is globals(), file=sys.stderr)
sys.exit(3)
"""
    job = start(text, "one", "two words", OWN="value")
    said, complained = job.communicate()
    assert said.strip() == (
        f"__main__ a script.py ['one', 'two words'] {tmp_path} value {tmp_path}"
    )
    assert complained.strip() == "True"
    assert job.returncode == 3


LATE = """
import sys, threading, time
from concurrent.futures import ThreadPoolExecutor

def say():
    time.sleep(0.2)
    sys.stderr.write("late")

{}
"""


@pytest.mark.parametrize(
    ("text", "status", "complaint"),
    [
        ("pass", 0, ""),
        ("raise SystemExit", 0, ""),
        ("import sys; sys.exit('in words')", 1, "in words"),
        ("[][1]", 1, "IndexError"),
        ("import atexit, sys; atexit.register(sys.stderr.write, 'at the end')", 0, "at the end"),
        (LATE.format("threading.Thread(target=say).start()"), 0, "late"),
        (LATE.format("ThreadPoolExecutor(1).submit(say)"), 0, "late"),
        ("import sys; sys.stdout.close()", 0, ""),
        ("import sys; sys.stdout = open('/dev/full', 'w'); print('lost')", 120, ""),
    ],
)
def test_how_a_script_ends(start, text, status, complaint):
    job = start(text)
    assert complaint in job.communicate()[1]
    assert job.returncode == status


WHAT_IS_LOADED = """
import sys
print("torch._dynamo" in sys.modules, any(name.startswith("emonas") for name in sys.modules))
"""


@pytest.mark.parametrize("server", [0], indirect=True)
def test_without_patience_the_first_jobs_wait_for_the_libraries(start):
    jobs = [start(WHAT_IS_LOADED) for _ in range(2)]
    assert [job.communicate()[0].split() for job in jobs] == [["True", "False"]] * 2


def test_after_some_jobs_the_libraries_are_there_and_nothing_of_this_project(start):
    text = WHAT_IS_LOADED
    loaded = [start(text).communicate()[0].split() for _ in range(PATIENCE)]
    assert loaded == [["False", "False"]] * PATIENCE
    wait_for(lambda: start(text).communicate()[0].split() == ["True", "False"])


def test_who_is_killed_takes_the_job_along(start, tmp_path):
    text = """
import os, time
from pathlib import Path
Path("number").write_text(f"{os.getpid()}\\n")
time.sleep(100)
"""
    job = start(text)
    number = tmp_path / "number"
    wait_for(lambda: number.exists() and number.read_text().endswith("\n"))
    assert number.read_text() != f"{job.pid}\n", "it is a fork, and not who asked"
    job.kill()
    wait_for(lambda: not Path("/proc", number.read_text().strip()).exists())


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_job_that_is_killed_is_told_to_be(start, number):
    job = start(
        f"import os, signal; signal.signal({number:d}, signal.SIG_DFL) "
        f"if {number:d} != 9 else None; os.kill(os.getpid(), {number:d})"
    )
    job.communicate()
    assert job.returncode == -number


def test_a_job_stopped_from_the_keyboard_can_say_so(start):
    text = """
import os, signal, sys
try:
    os.kill(os.getpid(), signal.SIGINT)
except KeyboardInterrupt:
    sys.exit(130)
"""
    job = start(text)
    job.communicate()
    assert job.returncode == 130


OWN_PYTHON = "import os; print(os.getpid())"


def test_a_job_of_more_threads_has_a_python_of_its_own(start):
    alone = start(OWN_PYTHON, OMP_NUM_THREADS="2")
    assert alone.communicate()[0] == f"{alone.pid}\n"
    forked = start(OWN_PYTHON)
    assert forked.communicate()[0] != f"{forked.pid}\n"


def test_a_job_has_a_python_of_its_own_where_nobody_listens(server, start):
    server.process.stdin.close()
    wait_for(lambda: not address_of(server).exists())
    alone = start(OWN_PYTHON)
    assert alone.communicate()[0] == f"{alone.pid}\n"


def test_who_finds_a_connection_taken_by_the_other_listener_goes_on(tmp_path, monkeypatch):
    ending, end = os.pipe()
    with socket.socket(socket.AF_UNIX) as listener, os.fdopen(ending) as standard_input:
        listener.bind(str(tmp_path / "jobs"))
        listen(listener)
        ready = iter([[listener.fileno()], [ending]])
        monkeypatch.setattr("sys.stdin", standard_input)
        monkeypatch.setattr(server_module.select, "select", lambda *_: (next(ready), [], []))
        assert server_module.serve(listener, PATIENCE) is None
    os.close(end)
