"""Run a script in a fork of the process that has loaded the libraries, or in a Python of its own.

    python -I -S launch.py ADDRESS SCRIPT

It imports little, because it stands before every job.
"""

import json
import os
import signal
import socket
import sys

REFUSED = "refused"


def main() -> None:
    """End as the script ends."""
    address, *command = sys.argv[1:]
    script = os.path.isfile(command[0])  # noqa: PTH113
    answer = ask(address, command) if script else None
    if answer in {None, REFUSED}:
        os.execv(sys.executable, [sys.executable, *command])  # noqa: S606
    # Without an answer the fork was killed, or the process that waited for it.
    status = int(answer or -signal.SIGKILL)
    if status < 0:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.kill(os.getpid(), -status)
    sys.exit(status)


def ask(address: str, command: list[str]) -> str | None:
    """The exit status of a script, minus the signal where one ended it; None where nobody
    listens at the address, and empty where who has listened is gone.
    """
    with socket.socket(socket.AF_UNIX) as connection:
        try:
            connection.connect(address)
        except OSError:
            return None
        # What stops the job from the keyboard stops its fork, and that ends this.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        folder = os.getcwd()  # noqa: PTH109
        request = {"command": command, "folder": folder, "environment": dict(os.environ)}
        socket.send_fds(connection, [b"\n"], [0, 1, 2])
        connection.sendall(json.dumps(request).encode() + b"\n")
        with connection.makefile() as answer:
            return answer.readline().strip()


if __name__ == "__main__":
    main()
