"""An exported folder is what was exported: whatever decides an answer is held at loading."""

import json

import pytest

from emonas.errors import EmonasError
from emonas.export.contract import (
    ExportedFeature,
    ExportedModel,
    ExportedSystem,
    read_model,
    write_model,
)
from emonas.export.model import load

PLACE = "group1/cnn"
FILES = ("weights.safetensors", "genotype.json", "shape.json")


@pytest.fixture
def folder(tmp_path):
    place = tmp_path / "a model" / PLACE
    place.mkdir(parents=True)
    for name in FILES:
        (place / name).write_text(f"what {name} holds\n")
    (place.parent / "model.onnx").write_bytes(b"a graph")
    model = ExportedModel(
        emonas="0",
        system="cnn",
        protocol="p",
        seed=0,
        folds={"group1": ("angry", "happy", "sad")},
        systems={"cnn": ExportedSystem(fuses=False, options={"network": "cells"})},
        features={"fbank": ExportedFeature(options={"extractor": "fbank", "hop_ms": 10.0})},
    )
    write_model(tmp_path / "a model", model)
    return tmp_path / "a model"


def change(folder, old, new):
    path = folder / "model.json"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_every_file_that_decides_an_answer_has_a_digest(folder):
    assert set(read_model(folder).files) == {
        *(f"{PLACE}/{name}" for name in FILES),
        "group1/model.onnx",
    }


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"hop_ms": 10.0', '"hop_ms": 20.0'),
        ('"angry",\n   "happy"', '"happy",\n   "angry"'),
        ('"searched": false', '"searched": true'),
    ],
)
def test_a_value_that_was_changed_is_told(folder, old, new):
    change(folder, old, new)
    with pytest.raises(EmonasError, match=r"model\.json: its digest is not that of its values"):
        load(folder)


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_was_changed_or_lost_is_told(folder, name):
    path = folder / PLACE / name
    content = path.read_bytes()
    path.write_bytes(content[:-1])
    with pytest.raises(EmonasError, match=f"{name}: its bytes are not those that were exported"):
        load(folder)
    path.unlink()
    with pytest.raises(EmonasError, match=f"{name}: is not there; copy the whole folder"):
        load(folder)


def test_a_changed_graph_is_told_and_a_deleted_one_is_not_missed(folder):
    graph = folder / "group1/model.onnx"
    graph.write_bytes(b"another")
    with pytest.raises(EmonasError, match="its bytes are not those that were exported"):
        read_model(folder)
    graph.unlink()
    assert read_model(folder).system == "cnn"


def test_who_changes_it_on_purpose_takes_the_digest_out(folder):
    path = folder / "model.json"
    told = json.loads(path.read_text())
    told["features"]["fbank"]["options"]["hop_ms"] = 20.0
    del told["digest"]
    path.write_text(json.dumps(told))
    assert read_model(folder).features["fbank"].options["hop_ms"] == 20.0


def test_a_folder_that_is_not_there_is_told(tmp_path):
    with pytest.raises(EmonasError, match="there is no such folder; give the one that emonas expo"):
        load(tmp_path / "nowhere")
