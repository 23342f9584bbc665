"""The process that has loaded the libraries, and of which every job is a fork.

    python server.py ADDRESS LISTENER PATIENCE [LIBRARY ...]

LISTENER is the number of the socket that is bound to the address, PATIENCE how many jobs are forked
before the libraries are loaded; with 0 the first waits for them. It ends when its standard input
does. For every job it forks a keeper, and the keeper forks the job: the keeper ends the job where
whoever asked for it is gone, and tells its exit status.
"""

import atexit
import ctypes
import gc
import importlib
import json
import os
import runpy
import select
import shutil
import signal
import socket
import sys
import threading
import traceback
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

LIBRARIES = (
    *("numpy", "pandas", "h5py", "pydantic", "yaml", "scipy.stats", "snakemake.iocontainers"),
    *("sklearn.linear_model", "sklearn.metrics", "safetensors.torch"),
    *("torch", "torch._dynamo", "torch.utils.flop_counter"),
)
"""No module of this project: a job runs its sources as they are when it begins."""

THREADS = "_NUM_THREADS"
SET_DEATH_SIGNAL = 1

UNSAID = 120
"""Python's exit status where what was printed could not be written."""


def main() -> None:
    """Serve until the end, and in a fork for a job run its script."""
    address = Path(sys.argv[1])
    # Python puts the folder of its script first: here that is this package's, and no job's.
    with suppress(ValueError):
        sys.path.remove(str(Path(__file__).resolve().parent))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(fileno=int(sys.argv[2])) as listener:
        listen(listener)
        command = serve(listener, int(sys.argv[3]))
    if command is None:
        shutil.rmtree(address.parent, ignore_errors=True)
    else:
        end(run(command))


def listen(listener: socket.socket) -> None:
    """Listen; whoever finds a connection taken by another who listens here must not wait."""
    listener.listen(64)
    listener.setblocking(False)


def run(command: list[str]) -> int:
    """Run a script as Python does, and give its exit status."""
    sys.argv = command
    sys.path.insert(0, str(Path(command[0]).resolve().parent))
    try:
        runpy.run_path(command[0], run_name="__main__")
    except SystemExit as asked:
        if asked.code is None or isinstance(asked.code, int):
            return asked.code or 0
        print(asked.code, file=sys.stderr)
        return 1
    except BaseException:  # whatever it is, Python shows it and ends with 1
        traceback.print_exc()
        return 1
    return 0


def end(status: int) -> NoReturn:
    """End without taking the libraries apart: that costs a fork a second, for it has to copy them
    first.
    """
    # As Python does: first wait for threads, then call what is registered, then flush.
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        if stream is not None and not stream.closed:
            try:
                stream.flush()
            except OSError:
                status = status or UNSAID
    os._exit(status)


def serve(listener: socket.socket, patience: int) -> list[str] | None:
    """The command that this process is to run, which is then a fork; None at the end."""
    asked, loaded = 0, -1
    if patience == 0:
        load()
    watched = [listener.fileno(), sys.stdin.fileno()]
    while sys.stdin.fileno() not in (ready := select.select(watched, [], [])[0]):
        if loaded in ready:
            # That one goes on.
            os._exit(0)
        try:
            connection, _ = listener.accept()
        except BlockingIOError:
            # Before and behind the loading two listen, and the other one was faster.
            continue
        asked += 1
        with connection:
            if os.fork() == 0:
                listener.close()
                return keep(connection)
        if asked == patience:
            loaded = fork_loading()
            watched = watched[:2] + [loaded] * (loaded >= 0)
    return None


def fork_loading() -> int:
    """Load the libraries in a fork, so that no job waits for them: what to watch until they are
    there, and in the fork -1, then.
    """
    loaded, loading = os.pipe()
    if os.fork() == 0:
        load()
        os.close(loaded)
        os.close(loading)
        return -1
    os.close(loading)
    return loaded


def load() -> None:
    """Import the libraries; what is not installed no job needs."""
    for name in (*LIBRARIES, *sys.argv[4:]):
        with suppress(ImportError):
            importlib.import_module(name)
    # Forks share what nobody touches, not even the garbage collector.
    gc.collect()
    gc.freeze()


def keep(connection: socket.socket) -> list[str]:
    """Fork the job and give its command there; here wait for it, and end."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    _, streams, _, _ = socket.recv_fds(connection, 1, 3)
    with connection.makefile() as lines:
        request = json.loads(lines.readline())
    if not fits(request["environment"]):
        connection.sendall(b"refused\n")
        os._exit(0)
    keeper = os.getpid()
    job = os.fork()
    if job == 0:
        return become(request, streams, keeper)
    for stream in streams:
        os.close(stream)
    ended = os.pidfd_open(job)
    watched: list[int] = [ended, connection.fileno()]
    if ended not in select.select(watched, [], [])[0]:
        os.kill(job, signal.SIGKILL)
    status = os.waitstatus_to_exitcode(os.waitpid(job, 0)[1])
    with suppress(OSError):
        connection.sendall(f"{status}\n".encode())
    os._exit(0)


def fits(environment: dict[str, str]) -> bool:
    """Whether a job's libraries would be imported with as many threads as those here."""
    return all(
        os.environ.get(name) == value
        for name, value in environment.items()
        if name.endswith(THREADS)
    )


def become(request: dict[str, Any], streams: list[int], keeper: int) -> list[str]:
    """Take on the streams, folder and environment of who asked, and give the command."""
    # Of a killed keeper nobody would be told.
    ctypes.CDLL(None).prctl(SET_DEATH_SIGNAL, signal.SIGKILL)
    if os.getppid() != keeper:
        os._exit(1)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"])
    command: list[str] = request["command"]
    return command


if __name__ == "__main__":
    main()
