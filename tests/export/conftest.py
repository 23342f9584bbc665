"""A small system in a folder, as `emonas export` lays it out."""

import shutil

import pytest
import torch

from emonas.export.contract import (
    ExportedFeature,
    ExportedModel,
    ExportedSystem,
    read_model,
    write_model,
    write_shape,
)
from emonas.kinds import kind_options
from emonas.storage.weights import read_weights, write_weights
from emonas.systems.building import build_network
from emonas.systems.normalising import Normaliser
from emonas.systems.shapes import NetworkShape
from emonas.systems.trained import system_weights

CLASSES = ("angry", "happy", "sad")


@pytest.fixture(scope="session")
def a_model(tmp_path_factory):
    """A linear system of random weights that hears filterbanks."""
    folder = tmp_path_factory.mktemp("exported") / "a model"
    options = kind_options("network", {"network": "linear", "inputs": ["fbank"]})
    shape = NetworkShape((12,), len(CLASSES), ("fbank",), (False,))
    torch.manual_seed(0)
    network = build_network(options, None, shape)
    torch.nn.init.normal_(network.classifier.weight, std=0.1)
    place = folder / "group1/linear"
    place.mkdir(parents=True)
    write_weights(place / "weights.safetensors", system_weights(network, Normaliser()))
    write_shape(place / "shape.json", shape)
    model = ExportedModel(
        emonas="0",
        system="linear",
        protocol="p",
        seed=0,
        folds={"group1": CLASSES},
        systems={"linear": ExportedSystem(fuses=False, options=options.model_dump(mode="json"))},
        features={"fbank": ExportedFeature(options={"extractor": "fbank", "bands": 12})},
    )
    write_model(folder, model)
    return folder


@pytest.fixture(scope="module")
def with_weights(a_model, tmp_path_factory):
    """Copy the system with weights that a function changes, and a `model.json` of their digest."""

    def changed(change):
        folder = shutil.copytree(a_model, tmp_path_factory.mktemp("changed") / "a model")
        path = folder / "group1/linear/weights.safetensors"
        tensors = read_weights(path)
        change(tensors)
        write_weights(path, tensors)
        write_model(folder, read_model(a_model))
        return folder

    return changed
