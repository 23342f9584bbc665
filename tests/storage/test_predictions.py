import time
from pathlib import Path

import h5py
import numpy as np
import pytest
from scipy.special import softmax

from emonas.errors import EmonasError
from emonas.storage.predictions import Predictions, read_predictions, write_predictions

NAMES = ('a "b", c', "zwei\nZeilen", "Ö/ß", "plain")


def predictions(count=4, shift=0.0):
    generator = np.random.default_rng(3)
    return Predictions(
        utterances=NAMES[:count],
        corpora=("toy",) * count,
        labels=("sad", "angry", "fröhlich", "unknown")[:count],
        classes=("angry", "fröhlich", "sad"),
        logits=(generator.normal(size=(count, 3)) + shift).astype(np.float32),
        embedding=generator.normal(size=(count, 5)).astype(np.float32),
    )


def same(found, wanted):
    for name in ("utterances", "corpora", "labels", "classes"):
        assert getattr(found, name) == getattr(wanted, name)
    for name in ("logits", "embedding"):
        np.testing.assert_array_equal(getattr(found, name), getattr(wanted, name))
        assert getattr(found, name).dtype == np.float32


def test_parts_come_back_each_with_its_own_rows(tmp_path):
    path = tmp_path / "a b" / "p.h5"
    parts = {"train": predictions(), "test": predictions(2, 9.0), "validation": predictions(0)}
    write_predictions(path, parts)
    for name, part in parts.items():
        same(read_predictions(path, name), part)


def test_the_same_values_give_the_same_bytes(tmp_path):
    write_predictions(tmp_path / "a.h5", {"train": predictions()})
    time.sleep(1.1)  # a time of modification in the file would have another second
    write_predictions(tmp_path / "b.h5", {"train": predictions()})
    assert (tmp_path / "a.h5").read_bytes() == (tmp_path / "b.h5").read_bytes()


def test_probabilities_are_the_softmax_of_any_logits():
    for shift in (0.0, 1000.0, -1000.0):
        part = predictions(shift=shift)
        np.testing.assert_allclose(part.probabilities, softmax(part.logits, axis=1), rtol=1e-5)
    part = predictions()
    assert part.predicted == tuple(part.classes[max(range(3), key=row.item)] for row in part.logits)


@pytest.mark.parametrize(
    "damage", ["truncated", "label", "logits", "short", "classes", "group", "numbers"]
)
def test_damage_is_told_with_the_name(tmp_path, damage):
    path = tmp_path / "p.h5"
    write_predictions(path, {"train": predictions()})
    if damage == "truncated":
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    else:
        with h5py.File(path, "r+") as file:
            group = file["train"]
            if damage == "classes":
                group["logits/emotion"].attrs["classes"] = ["one"]
            elif damage in ("label", "logits"):
                del group[damage]
            else:
                name = "embedding" if damage == "short" else "utterance"
                del group[name]
                if damage == "group":
                    group.create_group(name)
                else:
                    group[name] = np.zeros((2, 5), np.float32)
    with pytest.raises(EmonasError, match=r"p\.h5: no whole predictions of the part train"):
        read_predictions(path, "train")


def test_a_missing_part_or_file_is_told(tmp_path):
    write_predictions(tmp_path / "p.h5", {"train": predictions()})
    with pytest.raises(EmonasError, match=r"p\.h5.*part test"):
        read_predictions(tmp_path / "p.h5", "test")
    with pytest.raises(EmonasError, match=r"none\.h5"):
        read_predictions(tmp_path / "none.h5", "test")
    with pytest.raises(EmonasError, match=r"test_predictions\.py"):
        read_predictions(Path(__file__), "test")


def test_a_writer_that_fails_leaves_the_former_file(tmp_path):
    path = tmp_path / "p.h5"
    write_predictions(path, {"train": predictions()})
    before = path.read_bytes()
    with pytest.raises(AttributeError):
        write_predictions(path, {"train": predictions(), "test": None})
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]
