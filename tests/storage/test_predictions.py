import time
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
from scipy.special import softmax

from emonas.errors import DamagedFileError, EmonasError
from emonas.storage.predictions import (
    Predictions,
    TaskPredictions,
    read_predictions,
    write_predictions,
)
from emonas.storage.sealing import seal

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


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        ("utterance", lambda found: found.reshape(-1, 1), "names have more than one dimension"),
        ("label", lambda found: found.reshape(-1, 2, 2), "names have more than one dimension"),
        ("embedding", lambda found: found[:, 0], "no table of numbers"),
        ("embedding", lambda found: found.astype("S9"), "no table of numbers"),
        ("logits/emotion", lambda found: found.astype("S9"), "no table of numbers"),
    ],
)
def test_arrays_of_another_shape_or_kind_are_told(tmp_path, name, change, said):
    """Of a file that is sealed as it is."""
    path = tmp_path / "p.h5"
    write_predictions(path, {"train": predictions()})
    with h5py.File(path, "r+") as file:
        group = file["train"]
        found, attributes = group[name][()], dict(group[name].attrs)
        del group[name], group.attrs["seal"]
        group[name] = change(found)
        group[name].attrs.update(attributes)
        seal(group)
    with pytest.raises(DamagedFileError, match=said):
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


def spoilt(key, value):
    part = predictions()
    array = getattr(part, key).copy()
    array[2, 1] = value
    return replace(part, **{key: array})


@pytest.mark.parametrize(
    ("key", "value"),
    [("logits", np.nan), ("logits", np.inf), ("embedding", np.nan), ("embedding", -np.inf)],
)
def test_numbers_that_are_none_are_refused_by_utterance_and_part(tmp_path, key, value):
    path = tmp_path / "group1" / "p.h5"
    with pytest.raises(EmonasError) as told:
        write_predictions(path, {"train": predictions(), "test": spoilt(key, value)})
    said = str(told.value)
    assert f"{path}: not written, because in the part test the {key} of Ö/ß of toy" in said
    assert "1 of 4 utterances" in said
    assert not path.parent.exists()


def test_a_class_that_cannot_be_answered_has_minus_infinity_but_one_can(tmp_path):
    path = tmp_path / "p.h5"
    write_predictions(path, {"test": spoilt("logits", -np.inf)})
    assert read_predictions(path, "test").logits[2, 1] == -np.inf
    part = predictions()
    part.logits[2] = -np.inf
    with pytest.raises(EmonasError, match="the logits of Ö/ß of toy"):
        write_predictions(path, {"test": part})


def test_gates_and_logits_of_tasks_are_numbers_too(tmp_path):
    numbers = np.ones((4, 2), np.float32)
    none = np.where(np.arange(8).reshape(4, 2) == 5, np.nan, numbers).astype(np.float32)
    gated = replace(predictions(), gates=none, gated=("a", "b"))
    with pytest.raises(EmonasError, match="the gates of Ö/ß"):
        write_predictions(tmp_path / "p.h5", {"test": gated})
    task = TaskPredictions(("f",) * 4, ("f",) * 4, ("f", "m"), none)
    with pytest.raises(EmonasError, match="the logits of gender of Ö/ß"):
        write_predictions(
            tmp_path / "p.h5", {"test": replace(predictions(), tasks={"gender": task})}
        )
