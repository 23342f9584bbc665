"""How fast a trained system hears, from the recording to the answer, and in how much memory."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Literal

import numpy as np

from emonas.errors import EmonasError
from emonas.export.choosing import Chosen
from emonas.export.recordings import write_waveform
from emonas.export.write import RESULTS, export_fold
from emonas.jobs import Progress
from emonas.machine import processor_name
from emonas.storage.folds import read_index, read_part
from emonas.storage.manifest import read_manifest
from emonas.storage.speed import OfSystem, Speed, Speeds, write_speeds

if TYPE_CHECKING:
    from emonas.settings.plan import Plan
    from emonas.storage.features import Array

SPEECH = 10.0
"""Seconds that are heard."""
RATE = 16000
REPEATS = 5
"""How often it is timed; the fastest counts, which others on the machine disturb least."""


def measure_speeds(
    plan: Plan, protocol: str, systems: Sequence[str], output: Path, results: Path = RESULTS
) -> None:
    """Measure the systems of a protocol, each of its first seed and fold in a process of its own.

    Raises:
        EmonasError: a result is missing or damaged.
    """
    import torch

    fold = read_index(results / "protocols" / protocol / "folds.csv")["fold"].iloc[0]
    threads = plan.settings.runtime.torch_threads
    cards = torch.cuda.device_count()
    found = {}
    progress = Progress("measure", len(systems))
    with TemporaryDirectory(prefix="emonas-") as name:
        recording = Path(name) / "speech.wav"
        write_waveform(recording, ten_seconds(protocol, fold, results), RATE)
        for number, system in enumerate(systems, 1):
            folder = Path(name) / system
            try:
                export_fold(plan, Chosen(protocol, system, 0), fold, folder, results)
                found[system] = _measured(folder, recording, threads, cards)
            except EmonasError as error:
                found[system] = OfSystem(left_out=str(error))
            progress.step(number, system)
    speeds = Speeds(
        protocol=protocol,
        speech=SPEECH,
        processor=processor_name(),
        threads=threads,
        card=torch.cuda.get_device_name(0) if cards else "",
        systems=found,
    )
    write_speeds(output, speeds)


def ten_seconds(protocol: str, fold: str, results: Path = RESULTS) -> Array:
    """Test utterances one after another, (samples,) at 16 kHz: ten seconds of real pauses and
    words, on which a recogniser has as much to do as in use.
    """
    import soundfile
    import soxr

    part = read_part(results / "protocols" / protocol / fold / "test.csv")
    heard: list[Array] = []
    length = round(SPEECH * RATE)
    for corpus, utterance in zip(part["corpus"], part["utterance"], strict=True):
        manifest = read_manifest(results / "corpora" / corpus / "manifest.csv")
        (path,) = manifest.loc[manifest["utterance"] == utterance, "audio"]
        samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
        heard.append(soxr.resample(samples.mean(axis=1), rate, RATE).astype(np.float32))
        if sum(map(len, heard)) >= length:
            break
    # A part of less than ten seconds is heard again.
    return np.resize(np.concatenate(heard), length)


def _measured(folder: Path, recording: Path, threads: int, cards: int) -> OfSystem:
    measure = partial(_alone, partial(_speed, folder, recording, threads))
    return OfSystem(processor=measure("cpu"), card=measure("cuda") if cards else None)


def _alone(measure: Callable[[str], Speed], device: str) -> Speed:
    """In a process that has heard nothing before; elsewhere than on Linux in this one."""
    if sys.platform != "linux":
        return measure(device)
    # A process that used a card can't be forked: nothing here does.
    with ProcessPoolExecutor(1, get_context("fork")) as pool:
        return pool.submit(measure, device).result()


def _speed(folder: Path, recording: Path, threads: int, device: Literal["cpu", "cuda"]) -> Speed:
    from emonas.export.model import Model
    from emonas.export.recordings import Piece

    before = _memory("VmRSS")
    _forget_peak()
    model = Model(folder, device=device, threads=threads)
    domain = next(iter(model.domains), None)
    piece = Piece("speech", 0.0, SPEECH, recording, RATE)
    # The first compiles what is compiled.
    seconds = [_timed(partial(model.predict, [piece], domain=domain)) for _ in range(1 + REPEATS)]
    peak = _memory("VmHWM")
    memory = None if before is None or peak is None else peak - before
    if device == "cuda":
        import torch

        memory = torch.cuda.max_memory_allocated() / 2**20
    return Speed(seconds=min(seconds[1:]), memory=memory)


def _timed(call: Callable[[], object]) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


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
    try:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    except OSError:
        return
