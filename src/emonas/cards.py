"""A card of its own for every job that asks for one, without a scheduler.

`--resources gpu=N` lets N jobs that learn run at a time, but does not say which takes which card.
So each locks the file of a card that nobody has. The kernel opens the lock when its process ends,
however it ends.
"""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from emonas.errors import EmonasError
from emonas.jobs import report_line

OWN = "EMONAS_OWN_CARD"
"""Environment variable: set, a job takes a card of its own, and no card where it asks for none."""

VISIBLE = "CUDA_VISIBLE_DEVICES"
"""What CUDA reads once, when it is first used: the cards that a process sees."""

_PAUSE = 0.5


def may_have_cards() -> bool:
    """Whether this machine has cards that CUDA is not told to leave alone."""
    hidden = os.environ.get(VISIBLE) in ("", "-1")
    return not hidden and shutil.which("nvidia-smi") is not None


@contextmanager
def own_card(count: int) -> Iterator[None]:
    """Hold a card that no other job holds, and let the process see no other; wait for one.

    Nothing is done where cards are shared (`OWN` is not set); where none is asked for the process
    sees none. Of cards that are visible already, such as those that SLURM gave, it takes one.

    Raises:
        EmonasError: a card is asked for where there is none.
    """
    if not os.environ.get(OWN):
        yield
        return
    before = os.environ.get(VISIBLE)
    try:
        if count:
            with _locked(_cards()) as card:
                os.environ[VISIBLE] = card
                report_line(f"on card {card}")
                yield
        else:
            os.environ[VISIBLE] = ""
            yield
    finally:
        if before is None:
            os.environ.pop(VISIBLE, None)
        else:
            os.environ[VISIBLE] = before


def _cards() -> list[str]:
    """The names of the cards that this process may use."""
    visible = os.environ.get(VISIBLE)
    if visible is not None:
        return _named([] if visible == "-1" else visible.split(","), f"{VISIBLE}={visible}")
    command = ["nvidia-smi", "--query-gpu=index", "--format=csv,noheader"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603
    except (OSError, subprocess.SubprocessError) as error:
        raise _no_card(f"nvidia-smi ({error})") from error
    return _named(done.stdout.split(), "nvidia-smi")


def _named(names: list[str], where: str) -> list[str]:
    cards = [name.strip() for name in names if name.strip()]
    if not cards:
        raise _no_card(where)
    return cards


def _no_card(where: str) -> EmonasError:
    return EmonasError(
        f"a GPU is asked for, and {where} names none; leave out --resources gpu, or set "
        "runtime.device to cpu"
    )


@contextmanager
def _locked(cards: list[str]) -> Iterator[str]:
    """Lock the first card that is free."""
    folder = _folder()
    folder.mkdir(parents=True, exist_ok=True)
    waits = False
    while True:
        for card in cards:
            lock = FileLock(folder / f"{card.replace(os.sep, '-')}.lock")
            try:
                lock.acquire(timeout=0)
            except Timeout:
                continue
            try:
                yield card
            finally:
                lock.release()
            return
        if not waits:
            report_line("waits for a card")
        waits = True
        time.sleep(_PAUSE)


def _folder() -> Path:
    """Where the locks of this machine's cards are: numbers mean other cards in each SLURM job."""
    job = os.environ.get("SLURM_JOB_ID")
    owner = f"{os.getuid()}-{job}" if job else str(os.getuid())
    return Path(tempfile.gettempdir()) / f"emonas-cards-{owner}"
