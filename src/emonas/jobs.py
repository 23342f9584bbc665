"""What every job of the workflow does alike: log, progress, and errors that a user can read."""

import faulthandler
import logging
import signal
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

from emonas.errors import DamagedFileError, EmonasError, one_line
from emonas.storage.damaged import damaged_name, note_damaged

FAILED = "failed: "
"""Begins the line of a log that says why its job ended; where a signal ended it there is none."""
CRASHED = "Fatal Python error: "
"""Begins what Python says of a signal that the process gave itself."""
STOPPED_IN = "Stack (most recent call first)"
"""Begins what Python says of the code that a signal stopped."""

_LOGGER = logging.getLogger("emonas")


@contextmanager
def logged_job(log: Path) -> Iterator[None]:
    """Write the job's log to `log`, and end the process with 1 on an error.

    An `EmonasError` is shown as its one sentence, anything else with its traceback in the log;
    with 130 and no traceback where it was stopped from the keyboard. A result that is damaged is
    noted, so that the next run makes it again.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    # On a full disk a line that can't be written would print a traceback around the sentence.
    logging.raiseExceptions = False
    handler = logging.FileHandler(log, mode="w", encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%H:%M:%S"))
    _LOGGER.addHandler(handler)
    _LOGGER.setLevel(logging.INFO)
    _tell_signals(handler.stream or sys.stderr)
    try:
        yield
    except EmonasError as error:
        told = _told(error)
        _LOGGER.error("%s%s", FAILED, told)
        _say(f"emonas: {told}")
        sys.exit(1)
    except KeyboardInterrupt:
        report_line(f"{FAILED}stopped")
        _say(f"emonas: stopped: {log.stem}")
        sys.exit(130)
    except Exception:
        _LOGGER.exception(FAILED + "this should not have happened; please report it with this log")
        traceback.print_exc()
        sys.exit(1)
    finally:
        _tell_no_signals()
        _LOGGER.removeHandler(handler)
        handler.close()


def _tell_signals(file: TextIO) -> None:
    """Let a signal that ends this process say so first, but for SIGKILL, which can't."""
    faulthandler.enable(file, all_threads=False)
    if hasattr(faulthandler, "register"):
        faulthandler.register(signal.SIGTERM, file, all_threads=False, chain=True)


def _tell_no_signals() -> None:
    faulthandler.disable()
    if hasattr(faulthandler, "unregister"):
        faulthandler.unregister(signal.SIGTERM)


def _told(error: EmonasError) -> str:
    """The sentence of an error; a damaged result is noted, so that the same command mends it."""
    if isinstance(error, DamagedFileError):
        # Where the note can't be written the sentence names the command that mends it.
        with suppress(OSError, EmonasError):
            if note_damaged(error.path):
                return (
                    f"{error.path}: {error.problem}; it will be renamed to "
                    f"{damaged_name(error.path).name}, and the same command, given again, makes "
                    "it anew"
                )
    return str(error)


def _say(line: str) -> None:
    """Write a line to the terminal in one piece: `print` writes its end apart, and lines of jobs
    that fail together would run into each other.
    """
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def report_line(text: str) -> None:
    """Write one line to the job's log."""
    _LOGGER.info("%s", one_line(text))


class Progress:
    """Progress of a long job: every step into the log, now and then a line on the terminal."""

    def __init__(self, name: str, total: int, every: float = 20.0) -> None:
        self._name = name
        self._total = total
        self._every = every
        self._shown = time.monotonic()

    def step(self, done: int, text: str) -> None:
        """Say that `done` of the total are done."""
        line = one_line(f"{self._name}: {done} of {self._total}, {text}")
        report_line(line)
        if time.monotonic() - self._shown >= self._every:
            self._shown = time.monotonic()
            _say(f"  {line}")
