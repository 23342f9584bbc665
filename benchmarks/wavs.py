"""Folders of wavs for the benchmarks: the user's, or noise as long as EmoDB's utterances."""

import argparse
from pathlib import Path

import numpy as np
import soundfile

from emonas.storage.manifest import Utterance

RATE = 16000


def utterance(path: Path) -> Utterance:
    """A row of a manifest of which the job reads name, audio and length."""
    info = soundfile.info(path)
    return Utterance(
        path.stem, str(path), "bench", "", "", "", "", "", "", "", info.duration, RATE, ""
    )


def options_of(description: str | None) -> argparse.Namespace:
    """What a benchmark of wavs is asked for."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("folder", nargs="?", type=Path, help="wavs of 16 kHz")
    parser.add_argument("--small", action="store_true", help="only see that it runs")
    return parser.parse_args()


def wavs_of(folder: Path | None, count: int, empty: Path) -> list[Path]:
    """The first wavs of a folder, or noise in an empty one where none is given."""
    return sorted(folder.glob("*.wav"))[:count] if folder else noise(empty, count)


def noise(folder: Path, count: int) -> list[Path]:
    """Write noise of 1.2 to 9 s, 2.7 s in the middle."""
    generator = np.random.default_rng(0)
    lengths = np.clip(generator.lognormal(1.0, 0.4, count), 1.2, 9.0)
    paths = [folder / f"u{number:03}.wav" for number in range(count)]
    for path, length in zip(paths, lengths, strict=True):
        soundfile.write(path, 0.1 * generator.standard_normal(int(RATE * length)), RATE)
    return paths
