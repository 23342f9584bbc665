"""Reading a feature file into memory, against a plain file and against a file an utterance.

The frames are random, their numbers those of 535 utterances of 1 to 9 s. A file an utterance is
written as people write it: NumPy's npy, torch's pt, HDF5. `python benchmarks/reading.py` prints a
row a feature and form, from the page cache and from the disk. All forms hold the same bytes: of
Whisper's, two layers in float16.
"""

import os
import statistics
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import h5py
import numpy as np
import torch
from measuring import Row, ratios, spread

from emonas.storage.features import FeatureFacts, FeatureFile, write_features

UTTERANCES = 535
ROUNDS = 9
FEATURES = {
    "ge2e": (FeatureFacts("random", {}, 0.0), 256),
    "egemaps": (FeatureFacts("random", {}, 0.0), 88),
    "fbank": (FeatureFacts("random", {}, 100.0), 80),
    "whisper": (FeatureFacts("random", {}, 50.0, layers=("2", "4"), store="float16"), 384),
}
"""How it is stored, and its width."""


def main() -> None:
    """Measure every feature."""
    with tempfile.TemporaryDirectory(dir=".") as folder:
        for name, (facts, width) in FEATURES.items():
            measure(name, facts, width, Path(folder) / name)


def measure(name: str, facts: FeatureFacts, width: int, folder: Path) -> None:
    """Write one feature in every form, and read it."""
    values = random_values(facts, width)
    folder.mkdir()
    store, plain = folder / "store.h5", folder / "plain.bin"
    with write_features(store, facts) as writer:
        for utterance, frames in values.items():
            writer.append(utterance, frames)
    np.concatenate(list(values.values()), axis=-2).tofile(plain)
    others: dict[str, tuple[Callable[[], object], float]] = {
        "plain-file": (partial(read_plain, plain, np.dtype(facts.store)), 0.7)
    }
    for form, (save, load) in FORMS.items():
        each = folder / form
        each.mkdir()
        for utterance, frames in values.items():
            save(each / f"{utterance}.{form}", frames)
        others[f"{form}-an-utterance"] = partial(read_each, each, load), 10.0
    paths, size = [path for path in folder.rglob("*") if path.is_file()], plain.stat().st_size
    for state, before in {"cached": lambda: None, "from-disk": partial(evict, paths)}.items():
        for other, (reads, bar) in others.items():
            title = f"reading-{name}-{state}-{other}"
            compare(title, partial(read_store, store), reads, before, size, bar)


def random_values(facts: FeatureFacts, width: int) -> dict[str, np.ndarray]:
    """Frames by utterance, in the precision and with the layers of the file."""
    generator = np.random.default_rng(0)
    lengths = [max(1, int(facts.frame_rate * s)) for s in generator.uniform(1, 9, UTTERANCES)]
    layers = [len(facts.layers)] if facts.layers else []
    return {
        f"u{number:03}": generator.standard_normal((*layers, length, width)).astype(facts.store)
        for number, length in enumerate(lengths)
    }


def compare(
    name: str,
    ours: Callable[[], object],
    theirs: Callable[[], object],
    before: Callable[[], object],
    size: int,
    bar: float,
) -> None:
    """Hold the speed of the store against another way."""
    found, own = ratios(ours, theirs, ROUNDS, before)
    ratio = statistics.median(found)
    text = f"at least {bar} times as fast"
    Row(name, ratio, size / own / 1e6, "MB/s", spread(found), text, ratio >= bar).write()


def read_store(path: Path) -> list[list[np.ndarray]]:
    """All utterances of a feature file, layer by layer."""
    with FeatureFile(path) as file:
        layers = file.facts.layers or (None,)
        return [file.read_many(file.utterances, layer) for layer in layers]


def read_plain(path: Path, precision: np.dtype) -> np.ndarray:
    """The same bytes, of which nobody knows whose they are."""
    return np.fromfile(path, dtype=precision)


def read_each(folder: Path, load: Callable[[Path], np.ndarray]) -> list[np.ndarray]:
    """A file an utterance."""
    return [load(path) for path in sorted(folder.iterdir())]


def save_hdf5(path: Path, frames: np.ndarray) -> None:
    """An HDF5 file with one dataset."""
    with h5py.File(path, "w") as file:
        file["frames"] = frames


def load_hdf5(path: Path) -> np.ndarray:
    """Its dataset."""
    with h5py.File(path, "r") as file:
        frames: np.ndarray = file["frames"][:]
    return frames


FORMS: dict[str, tuple[Callable[[Path, np.ndarray], object], Callable[[Path], np.ndarray]]] = {
    "npy": (np.save, np.load),
    "pt": (
        lambda path, frames: torch.save(torch.from_numpy(frames), path),
        lambda path: torch.load(path, weights_only=True).numpy(),
    ),
    "h5": (save_hdf5, load_hdf5),
}


def evict(paths: list[Path]) -> None:
    """Ask the system to forget what it has read, so that the disk is read again."""
    for path in paths:
        with path.open("rb") as file:
            os.fsync(file.fileno())
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


if __name__ == "__main__":
    main()
