"""Times a system that is exported, in processes of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from emonas.errors import EmonasError
from emonas.export.stopwatch import Asked, Told
from emonas.jobs import report_line
from emonas.preloading import THREADS
from emonas.storage.folds import read_part
from emonas.storage.manifest import read_manifest
from emonas.storage.speed import Speed

if TYPE_CHECKING:
    from emonas.storage.features import Array

SPEECH = 10.0
"""Seconds that are heard."""
RATE = 16000
PROCESSES = 2
"""How many processes time it, one after another: each lies otherwise in memory."""
PATIENCE = 600
"""Seconds after which a process is ended, and the system is left out."""


def ten_seconds(protocol: str, fold: str, results: Path) -> Array:
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


def timed(asked: Asked, folder: Path) -> Speed:
    """What some processes tell, one after another; `folder` is for their files.

    The first finds what has to be imported, and compiles what is kept on disk: the memory is that
    of the last.

    Raises:
        EmonasError: one can't load the system or hear the recording, or takes too long.
    """
    seconds: list[float] = []
    told = Told()
    for number in range(PROCESSES):
        told = _told(asked.model_copy(update={"imports": told.imports}), folder)
        seconds += told.seconds
        middle = float(np.median(told.seconds))
        report_line(f"{asked.device}: process {number + 1} of {PROCESSES}: {middle:.4f} s")
    low, median, high = (float(value) for value in np.quantile(seconds, (0.25, 0.5, 0.75)))
    return Speed(
        seconds=median,
        quartiles=(low, high),
        times=len(seconds),
        memory=told.memory,
        before=told.before,
    )


def _told(asked: Asked, folder: Path) -> Told:
    given, written = folder / "asked.json", folder / "told.json"
    given.write_text(asked.model_dump_json(), encoding="utf-8")
    command = [sys.executable, "-m", "emonas.export.stopwatch", str(given), str(written)]
    # A job's environment has as many threads as the machine has cores.
    alone = os.environ | dict.fromkeys(THREADS, str(asked.threads))
    try:
        ended = subprocess.run(  # noqa: S603
            command, env=alone, timeout=PATIENCE, check=False, capture_output=True, text=True
        )
    except subprocess.TimeoutExpired as error:
        raise EmonasError(
            f"{asked.device}: {asked.speech:g} s of speech took more than {PATIENCE} s, with "
            "loading and some repetitions"
        ) from error
    if ended.returncode:
        last = (ended.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise EmonasError(f"{asked.device}: the process ended with {ended.returncode}: {last}")
    told = Told.model_validate_json(written.read_text(encoding="utf-8"))
    if told.error:
        raise EmonasError(told.error)
    return told
