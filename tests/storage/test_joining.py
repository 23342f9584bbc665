import os
import resource
from contextlib import contextmanager

import numpy as np
import pytest

from emonas.errors import EmonasError
from emonas.features.kept import KeptFeatures
from emonas.storage.features import (
    DamagedFileError,
    FeatureFacts,
    FeatureFile,
    FeatureWriter,
    join_features,
)

PLAIN = FeatureFacts("fbank", {}, 100.0)
LAYERED = FeatureFacts("whisper", {}, 50.0, layers=("2", "12"), store="float16")


@contextmanager
def files_left(count):
    """Let the process open `count` more files."""
    fillers = [os.open(os.devnull, os.O_RDONLY) for _ in range(count + 1)]
    former = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (fillers[-1], former[1]))
    for filler in fillers:
        os.close(filler)
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, former)


def values(facts, count, width=3):
    generator = np.random.default_rng(4)
    layers = (len(facts.layers),) if facts.layers else ()
    return {
        f"u{n}": generator.normal(size=(*layers, int(generator.integers(1, 9)), width)).astype("f4")
        for n in range(count)
    }


def write(path, facts, frames):
    writer = FeatureWriter(facts)
    for name, array in frames.items():
        writer.append(name, array)
    writer.save(path)
    return path


@pytest.mark.parametrize("facts", [PLAIN, LAYERED])
def test_there_may_be_more_parts_than_files_may_be_open(tmp_path, facts):
    frames = values(facts, 60)
    order = list(np.random.default_rng(5).permutation(list(frames)))
    parts = [
        write(tmp_path / "parts" / f"{name}.h5", facts, {name: array})
        for name, array in frames.items()
    ]
    whole = write(tmp_path / "one.h5", facts, frames)
    with files_left(8):
        join_features(tmp_path / "many.h5", facts, parts, order)
    with FeatureFile(tmp_path / "many.h5") as file:
        assert file.utterances == tuple(order)
        for name in order:
            for number, layer in enumerate(facts.layers or [None]):
                wanted = frames[name][number] if facts.layers else frames[name]
                np.testing.assert_array_equal(file.read(name, layer), wanted.astype(facts.store))
    join_features(tmp_path / "few.h5", facts, [whole], order)
    assert (tmp_path / "few.h5").read_bytes() == (tmp_path / "many.h5").read_bytes()


def test_too_many_open_files_are_no_damage(tmp_path):
    write(tmp_path / "000000.h5", PLAIN, values(PLAIN, 2))
    kept = KeptFeatures(tmp_path, PLAIN)
    for opened in (FeatureFile, kept._take):
        with (
            files_left(0),
            pytest.raises(EmonasError, match=r"000000\.h5: can't be read \(Too many") as told,
        ):
            opened(tmp_path / "000000.h5")
        assert not isinstance(told.value, DamagedFileError)
    assert KeptFeatures(tmp_path, PLAIN).done == {"u0", "u1"}


def test_parts_of_other_widths_are_told_and_not_stretched(tmp_path):
    wide, narrow = values(PLAIN, 2, width=5), {"n": np.ones((4, 1), np.float32)}
    parts = [write(tmp_path / "0.h5", PLAIN, wide), write(tmp_path / "1.h5", PLAIN, narrow)]
    for given in (parts, parts[::-1]):
        with pytest.raises(EmonasError, match=r"0\.h5: u0 has 5") as told:
            join_features(tmp_path / "out.h5", PLAIN, given, ["n", "u1", "u0"])
        assert "1.h5: n has 1" in str(told.value)
    assert not (tmp_path / "out.h5").exists()


def test_an_utterance_that_no_part_holds_is_told(tmp_path):
    parts = [write(tmp_path / "0.h5", PLAIN, values(PLAIN, 2))]
    for given in (parts, []):
        with pytest.raises(EmonasError, match=r"out\.h5: no part of it holds u9"):
            join_features(tmp_path / "out.h5", PLAIN, given, ["u9"])
