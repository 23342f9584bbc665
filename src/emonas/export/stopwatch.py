"""A process that loads an exported system and hears a recording again and again.

    python -m emonas.export.stopwatch ASKED TOLD

It is a process of its own, so that its memory is that of one who uses the system.
"""

from __future__ import annotations

import importlib
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, Field

from emonas.errors import EmonasError
from emonas.storage.atomic import write_text

LEAST, MOST = 3, 15
"""How often it is timed, at least and at most, behind a first time that compiles."""
ENOUGH = 10.0
"""Seconds after which it is not timed again."""


class Asked(BaseModel):
    """What is measured: a folder that `emonas export` wrote, on a recording of so many seconds."""

    folder: Path
    recording: Path
    speech: float
    rate: int
    device: Literal["cpu", "cuda"]
    threads: int
    imports: list[str] = Field(default_factory=list)


class Told(BaseModel):
    """The seconds of each time, and memory in MiB as of `storage.speed.Speed`; `imports` are the
    modules that it took. Or the error that a person can mend.
    """

    seconds: list[float] = Field(default_factory=list)
    memory: float | None = None
    before: float | None = None
    imports: list[str] = Field(default_factory=list)
    error: str = ""


def measure(asked: Asked) -> Told:
    """Load the system and time it.

    Raises:
        EmonasError: it can't be loaded, or can't hear the recording.
    """
    from emonas.export.model import Model
    from emonas.export.recordings import Piece

    # So that what the model takes is not mixed with what its libraries do.
    for name in asked.imports:
        with suppress(Exception):
            importlib.import_module(name)
    before = _memory("VmRSS")
    _forget_peak()
    model = Model(asked.folder, device=asked.device, threads=asked.threads)
    domain = next(iter(model.domains), None)
    piece = Piece("speech", 0.0, asked.speech, asked.recording, asked.rate)
    model.predict([piece], domain=domain)
    seconds: list[float] = []
    while len(seconds) < LEAST or (len(seconds) < MOST and sum(seconds) < ENOUGH):
        started = time.perf_counter()
        model.predict([piece], domain=domain)
        seconds.append(time.perf_counter() - started)
    memory = _memory("VmHWM")
    if asked.device == "cuda":
        import torch

        memory, before = torch.cuda.max_memory_allocated() / 2**20, None
    return Told(seconds=seconds, memory=memory, before=before, imports=list(sys.modules))


def _memory(key: str) -> float | None:
    """What this process has, in MiB; none where the system does not tell."""
    try:
        lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    except OSError:
        return None
    found = [line.split()[1] for line in lines if line.startswith(f"{key}:")]
    return int(found[0]) / 1024 if found else None


def _forget_peak() -> None:
    """Let the peak be of what follows, where the system can."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def main() -> None:
    """Measure what the first file asks for, and write the second."""
    given, written = (Path(name) for name in sys.argv[1:])
    try:
        told = measure(Asked.model_validate_json(given.read_text(encoding="utf-8")))
    except EmonasError as error:
        told = Told(error=str(error))
    write_text(written, told.model_dump_json())


if __name__ == "__main__":
    main()
