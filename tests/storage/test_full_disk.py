"""No room: a disk that is full, and a limit on the length of a file."""

import os
import resource
import subprocess
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import torch

from emonas.errors import EmonasError
from emonas.learning.resume import ResumePoint
from emonas.storage.atomic import write_text
from emonas.storage.features import FeatureFacts, FeatureFile, FeatureWriter, join_features
from emonas.storage.predictions import Predictions, read_predictions, write_predictions
from emonas.storage.weights import write_weights

FACTS = FeatureFacts("fbank", {}, 100.0)
ROOM = 2**20


@pytest.fixture(params=["disk", "limit"])
def full(request, tmp_path):
    """A folder that takes less than 1 MiB, until what the fixture gives with it is called."""
    folder = tmp_path / "no room"
    folder.mkdir()
    if request.param == "limit":
        former = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (ROOM, former[1]))
        yield folder, lambda: resource.setrlimit(resource.RLIMIT_FSIZE, former)
        resource.setrlimit(resource.RLIMIT_FSIZE, former)
        return
    if os.geteuid() != 0 or mounted("size=1m", "tmpfs", folder):
        pytest.skip("only root can make a small disk, and not everywhere")
    yield folder, lambda: mounted("remount,size=16m", folder)
    subprocess.run(["umount", folder], check=True)


def mounted(options, *arguments):
    kind = ["-t", "tmpfs"] if len(arguments) == 2 else []
    command = ["mount", *kind, "-o", options, *arguments]
    return subprocess.run(command, capture_output=True, check=False).returncode


def features(path: Path, names: list[str], frames: int) -> None:
    writer = FeatureWriter(FACTS)
    for name in names:
        writer.append(name, np.full((frames, 100), len(name), np.float32))
    writer.save(path)


def predicted(path: Path, count: int) -> None:
    names = tuple(f"an utterance with a rather long name {n:09}" for n in range(count))
    embedding = np.ones((count, 2), np.float32)
    part = Predictions(names, names, names, ("a", "b"), embedding, embedding)
    write_predictions(path, {"test": part})


def joined(path: Path) -> None:
    parts = [path.parent.parent / f"{number}.h5" for number in range(8)]
    for number, part in enumerate(parts):
        features(part, [f"{number}", f"{number}b"], 250)
    order = [f"{number}{letter}" for letter in ("b", "") for number in range(8)]
    join_features(path, FACTS, parts, order)


WRITERS = {
    "text": lambda path: write_text(path, "a" * 2 * ROOM),
    "weights": lambda path: write_weights(path, {"a": torch.ones(ROOM)}),
    "state": lambda path: ResumePoint(path.parent).save({"a": torch.ones(ROOM)}, path.stem),
    "features": lambda path: features(path, ["a", "b"], 2500),
    "names": lambda path: features(path, [f"a rather long name {n:09}" for n in range(30000)], 0),
    "joined": joined,
    "predictions": lambda path: predicted(path, 20000),
}


@pytest.mark.parametrize("kind", WRITERS)
def test_no_room_is_one_sentence_and_leaves_nothing(full, kind):
    folder, make_room = full
    path = folder / ("out.pt" if kind == "state" else "out.h5")
    for _ in range(2):
        with pytest.raises(EmonasError, match=r"out\.\w+: can't be written .*make room and run"):
            WRITERS[kind](path)
        assert list(folder.iterdir()) == []
    make_room()
    WRITERS[kind](path)
    assert list(folder.iterdir()) == [path]
    if kind == "joined":
        with FeatureFile(path) as file:
            assert [file.read(name)[0, 0] for name in ("7", "7b")] == [1, 2]
    if kind == "predictions":
        assert len(read_predictions(path, "test").utterances) == 20000


def test_a_former_file_stays_where_there_is_no_room(full):
    folder, _ = full
    features(folder / "out.h5", ["a"], 10)
    before = (folder / "out.h5").read_bytes()
    with pytest.raises(EmonasError, match="make room"):
        features(folder / "out.h5", ["a"], 5000)
    assert (folder / "out.h5").read_bytes() == before
    assert list(folder.iterdir()) == [folder / "out.h5"]


def test_joining_holds_no_more_than_a_part_where_there_is_no_room(full, tmp_path):
    folder, _ = full
    parts = [tmp_path / f"{number}.h5" for number in range(20)]
    for number, part in enumerate(parts):
        features(part, [f"{number}"], 1000)
    tracemalloc.start()
    try:
        with pytest.raises(EmonasError, match="make room"):
            join_features(folder / "out.h5", FACTS, parts, [part.stem for part in parts])
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 3e6


def test_an_interruption_while_hdf5_writes_is_passed_on(tmp_path, monkeypatch):
    # Ctrl-C is handled where Python next runs, which is within the write.
    def interrupted(*_):
        monkeypatch.undo()
        raise KeyboardInterrupt

    monkeypatch.setattr("emonas.storage.hdf5.memoryview", interrupted, raising=False)
    with pytest.raises(KeyboardInterrupt):
        features(tmp_path / "out.h5", ["a"], 5000)
    assert list(tmp_path.iterdir()) == []
