"""Every kind of network as an ONNX graph, whose logits are those of the network itself."""

import json

import numpy as np
import pandas as pd
import pytest
import torch

from emonas.errors import EmonasError
from emonas.export.contract import ExportedFeature, ExportedModel, ExportedSystem, write_shape
from emonas.export.graphs import parity, write
from emonas.export.graphs.stand_ins import LeftOutError
from emonas.export.graphs.tracing import trace
from emonas.export.graphs.whole import WholeNetwork
from emonas.export.graphs.write import GRAPH_FILE, write_graphs
from emonas.export.networks import FoldNetworks
from emonas.kinds import all_kinds, kind_options
from emonas.networks.streams import Output
from emonas.search.named_recipes import named_recipe
from emonas.storage.features import FeatureFacts, FeatureFile, write_features
from emonas.storage.folds import write_part
from emonas.storage.genotype import (
    CellsGenotype,
    Edge,
    RecipeNode,
    RecurrentGenotype,
    write_genotype,
)
from emonas.storage.weights import write_weights
from emonas.systems.building import build_network, build_searched
from emonas.systems.data import load_examples, network_shape
from emonas.systems.material import Material
from emonas.systems.normalising import Normaliser, fit_normaliser
from emonas.systems.trained import system_weights

onnx = pytest.importorskip("onnx", reason="onnx is not installed")
onnxruntime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
CLASSES = ("angry", "happy", "neutral", "sad")
LENGTHS = (9, 30, 1, 17, 22, 8, 3, 30)
KEPT = ("sep_conv_3x3", "dil_conv_5x5", "max_pool_3x3", "avg_pool_3x3", "skip_connect", "none")
EDGES = tuple(
    Edge(node=number // 2, source=number % 2, operation=name) for number, name in enumerate(KEPT)
)
CELLS = CellsGenotype(method="t", channels=2, cells=3, nodes=3, normal=EDGES, reduction=EDGES)
ONE_EDGE = CellsGenotype(
    method="t", channels=2, cells=1, nodes=1, normal=EDGES[:2], reduction=EDGES[:2]
)
LSTM = RecurrentGenotype(method="t", name="lstm", recipe=named_recipe("lstm"))
# What is read of a frame goes through no linear node, and one node reads no state.
ODD = RecurrentGenotype(
    method="t",
    name="odd",
    recipe={
        "gate": RecipeNode(op="activation_sigm", input=("x",)),
        "old": RecipeNode(op="linear", input=("h_prev_0", "gate")),
        "h_new_0": RecipeNode(op="activation_leaky_relu", input=("old",)),
    },
)
SMALL = {"heads": 2, "head_width": 3}
GRUS = {**SMALL, "hidden": 5, "layers": 2}
BLOCKS = {"inputs": ["deep"]}
ONE = {"inputs": ["fbank"]}
TUNED = {
    "inputs": ["waveform"],
    "random": {"layers": 2, "width": 16, "heads": 2, "feed_forward": 16, "channels": 8},
    "longest_seconds": 0.5,
}
KINDS = {
    "linear": {**ONE, "network": "linear"},
    "linear-of-all": {
        "network": "linear",
        "inputs": ["fbank", "vector", {"feature": "deep", "layers": ["12"], "pool": 4}],
    },
    "cells": {"network": "cells", "inputs": ["image"]},
    "searched-cells": {"network": "cells", "inputs": ["image"]},
    "resnet": {"network": "resnet", "inputs": ["image"], "blocks": [1, 1]},
    "recipe": {**ONE, "network": "recurrent", "hidden": 5, "layers": 2},
    "odd-recipe": {**ONE, "network": "recurrent", "hidden": 5},
    "rnn": {**ONE, "network": "recurrent", "hidden": 5, "cell": "rnn", "pooling": "statistics"},
    "gru": {**BLOCKS, "network": "recurrent", "hidden": 5, "cell": "gru"},
    "lstm": {
        "network": "recurrent",
        "inputs": [{"feature": "fbank", "pool": 3, "normalise": "utterance"}],
        "hidden": 5,
        "cell": "lstm",
        "layers": 2,
    },
    "cnn-lstm": {**ONE, "network": "cnn-lstm", "channels": [3, 4], "hidden": 5},
    "cnn-gru": {**ONE, "network": "cnn-gru", "channels": [3, 4], "hidden": 5, "dense": 6},
    "rnn-elm": {**ONE, "network": "rnn-elm", "hidden": 5},
    "ctc-rnn": {**ONE, "network": "ctc-rnn", "hidden": 5},
    "ctc-rnn-of-three": {**ONE, "network": "ctc-rnn", "hidden": 5, "labels": 3},
    "rnn-mhsa": {**ONE, "network": "rnn-mhsa", **GRUS},
    "wf-rnn": {**BLOCKS, "network": "wf-rnn", **GRUS},
    "ef-rnn": {**BLOCKS, "network": "ef-rnn", **GRUS},
    "lf-rnn": {"network": "lf-rnn", "inputs": ["fbank", "other"], **GRUS},
    "lf-rnn-second": {"network": "lf-rnn", "inputs": ["fbank", "other"], "second": True, **GRUS},
    "cta": {**BLOCKS, "network": "cta", **SMALL},
    "cta-rnn": {**BLOCKS, "network": "cta-rnn", **GRUS},
    "wav2vec2": {**TUNED, "network": "wav2vec2"},
    "hubert": {**TUNED, "network": "hubert"},
    "wavlm": {**TUNED, "network": "wavlm"},
    "whisper-encoder": {**TUNED, "network": "whisper-encoder"},
}
SPEAKER = {
    "network": "language-specific",
    "inputs": [{"feature": "waveform", "normalise": "none"}],
    "encoders": {"waveform": {"speaker": True}},
    "size": 4,
}
DEEP = ["deep.2", "deep.12"]
NAMES = {
    **dict.fromkeys(("gru", "wf-rnn", "ef-rnn", "cta", "cta-rnn"), DEEP),
    "linear-of-all": ["fbank", "vector", "deep.12"],
}
"""The inputs of a graph that hears layers."""
GENOTYPES = {"cells": CELLS, "searched-cells": ONE_EDGE, "recipe": LSTM, "odd-recipe": ODD}
ELSEWHERE = {
    "language-specific",
    "multilingual-base",
    "shared-bottom",
    "omoe",
    "mmoe",
    "multi-gating",
}
"""Kinds that tests/workflow/test_languages.py trains, exports and holds against torch."""


@pytest.fixture(scope="module")
def features(tmp_path_factory):
    """Feature files of one corpus, of every form that a feature has."""
    folder = tmp_path_factory.mktemp("some features")
    generator = np.random.default_rng(3)
    forms = {
        "fbank": ((), 8, LENGTHS),
        "other": ((), 5, LENGTHS[::-1]),
        "deep": (("2", "12"), 6, LENGTHS),
        "image": ((), 11, (21,) * len(LENGTHS)),
        "vector": ((), 7, (1,) * len(LENGTHS)),
        "waveform": ((), 1, (200, 9000, 400, 5000, 7000, 3333, 719, 720)),
    }
    paths = {}
    for name, (layers, width, lengths) in forms.items():
        path = folder / f"{name}.h5"
        with write_features(path, FeatureFacts(name, {}, 100.0, layers=layers)) as writer:
            for number, length in enumerate(lengths):
                shape = (*([len(layers)] if layers else []), length, width)
                frames = generator.normal(0.3, 0.5, size=shape).astype(np.float32)
                writer.append(f"u{number}", frames)
        paths[name] = {"c": path}
    return paths


@pytest.fixture(scope="module")
def test_part(tmp_path_factory):
    path = tmp_path_factory.mktemp("a fold") / "test.csv"
    write_part(path, table())
    return path


def table():
    return pd.DataFrame(
        {
            "utterance": [f"u{number}" for number in range(len(LENGTHS))],
            "corpus": "c",
            "label": [CLASSES[number % 4] for number in range(len(LENGTHS))],
            "domain": "",
        }
    )


def exported(folder, features, name):
    """A system as `emonas export` lays it out, with random weights."""
    options = kind_options("network", {**KINDS, "speaker": SPEAKER}[name])
    genotype, searched = GENOTYPES.get(name), name == "searched-cells"
    part = table()
    shape = network_shape(options, Material(features), CLASSES, part["domain"], part["label"])
    torch.manual_seed(5)
    network = (build_searched if searched else build_network)(options, genotype, shape)
    examples = load_examples(part, CLASSES, options.inputs, features)
    if name.startswith("linear"):
        network.set_vectors([all(len(a) == 1 for a in stream) for stream in examples.streams])
        torch.nn.init.normal_(network.classifier.weight)
    for key, tensor in network.named_buffers():
        if key.endswith("running_mean"):
            tensor.uniform_(-0.1, 0.1)
        elif key.endswith(("running_var", "centre", "scale")):
            tensor.uniform_(0.5, 1.5)
        elif key == "solved":
            tensor.fill_(value=True)  # so that the machine answers
    normaliser = fit_normaliser(examples) if options.normalise == "feature" else Normaliser()
    place = folder / "all" / "it"
    place.mkdir(parents=True)
    write_weights(place / "weights.safetensors", system_weights(network, normaliser))
    write_shape(place / "shape.json", shape)
    if genotype is not None:
        write_genotype(place / "genotype.json", genotype)
    layers = {"deep": ("2", "12")}
    heard = normaliser(examples if options.longest is None else examples.cut(options.longest))
    model = ExportedModel(
        emonas="0",
        system="it",
        protocol="p",
        seed=0,
        folds={"all": CLASSES},
        systems={
            "it": ExportedSystem(
                fuses=False, options=options.model_dump(mode="json"), searched=searched
            )
        },
        features={
            entry.feature: ExportedFeature(
                options={"extractor": entry.feature, "sampling_rate": 8000},
                layers=layers.get(entry.feature, ()),
            )
            for entry in options.inputs
        },
    )
    return model, network, heard


def raw(features, name):
    """The arrays of an input, as they are in the feature file."""
    feature, _, layer = name.partition(".")
    with FeatureFile(features[feature]["c"]) as file:
        return file.read_many(list(table()["utterance"]), layer or None)


def run(path, given):
    """Logits by onnxruntime alone, of one batch padded with what must not count."""
    session = onnxruntime.InferenceSession(path)
    asked = {value.name for value in session.get_inputs()}
    inputs = {}
    for name, arrays in given.items():
        lengths = np.array([len(array) for array in arrays])
        padded = np.full((len(arrays), lengths.max(), arrays[0].shape[1]), 9.0, np.float32)
        for row, array in zip(padded, arrays, strict=True):
            row[: len(array)] = array
        inputs |= {name: padded, f"{name.partition('.')[0]}.lengths": lengths}
    assert asked <= set(inputs)
    return session.run(None, {name: inputs[name] for name in asked})[0]


@pytest.mark.parametrize("name", KINDS)
def test_a_graph_says_what_the_network_says(tmp_path, features, test_part, name):
    model, network, examples = exported(tmp_path, features, name)
    found = write_graphs(tmp_path, model, features, {"all": test_part}, {})
    assert found.left_out is None
    assert found.utterances == 6
    with torch.no_grad():
        wanted = network.eval()(*examples.batch().streams).logits.numpy()
    assert wanted.std(axis=0).max() > 1e-4  # what it hears counts
    given = {one: raw(features, one) for one in NAMES.get(name, [*model.features])}
    logits = run(tmp_path / "all" / GRAPH_FILE, given)
    np.testing.assert_allclose(logits, wanted, rtol=1e-4, atol=1e-4)


def test_every_kind_is_tried():
    tried = {values["network"] for values in KINDS.values()}
    assert tried | ELSEWHERE == set(all_kinds("network"))


def test_a_graph_names_its_axes_and_says_what_it_is(tmp_path, features, test_part):
    model, *_ = exported(tmp_path, features, "lf-rnn")
    write_graphs(tmp_path, model, features, {"all": test_part}, {})
    graph = onnx.load(tmp_path / "all" / GRAPH_FILE)
    onnx.checker.check_model(graph)
    assert {one.version for one in graph.opset_import if not one.domain} == {20}
    shapes = {
        value.name: [axis.dim_param or axis.dim_value for axis in value.type.tensor_type.shape.dim]
        for value in [*graph.graph.input, *graph.graph.output]
    }
    assert shapes == {
        "fbank": ["batch", "fbank.time", 8],
        "other": ["batch", "other.time", 5],
        "fbank.lengths": ["batch"],
        "other.lengths": ["batch"],
        "logits": ["batch", 4],
    }
    assert b".py" not in (tmp_path / "all" / GRAPH_FILE).read_bytes()  # no path of this machine
    told = {one.key: json.loads(one.value) for one in graph.metadata_props}
    assert told["emonas.format"] == 1
    assert told["emonas.classes"] == list(CLASSES)
    assert told["emonas.sampling_rate"] == {"fbank": 8000, "other": 8000}
    assert told["emonas.features"]["fbank"] == {"extractor": "fbank", "sampling_rate": 8000}
    assert told["emonas.inputs"]["other"] == {
        "feature": "other",
        "layer": None,
        "lengths": "other.lengths",
    }


def test_a_graph_that_differs_is_left_out(tmp_path, features, test_part, monkeypatch):
    model, *_ = exported(tmp_path, features, "gru")
    monkeypatch.setattr(parity, "TOLERANCE", 0.0)
    found = write_graphs(tmp_path, model, features, {"all": test_part}, {})
    assert "its logits in fold all differ from torch's by up to" in found.left_out
    assert not list((tmp_path / "all").glob(f"{GRAPH_FILE}*"))


class Asking(torch.nn.Module):
    """Goes one way or the other by what it hears."""

    def forward(self, stream):
        logits = stream.frames.mean(dim=1)[:, :4]
        return Output(logits if stream.frames.sum() > 0 else -logits, logits)


def test_what_torch_can_t_trace_is_left_out(tmp_path, features):
    model, *_ = exported(tmp_path, features, "rnn")
    whole = WholeNetwork(FoldNetworks(tmp_path, "all", model, {}, torch.device("cpu")))
    whole.heads[0].network = Asking()
    with pytest.raises(LeftOutError, match=r"torch can't trace it \(\w+: .*\)$"):
        trace(whole, {})


def test_what_onnxruntime_can_t_read_is_left_out(tmp_path, features):
    model, *_ = exported(tmp_path, features, "rnn")
    fold = FoldNetworks(tmp_path, "all", model, {}, torch.device("cpu"))
    (tmp_path / "model.onnx").write_bytes(b"no graph")
    with pytest.raises(LeftOutError, match="onnxruntime can't run it"):
        parity.compare(tmp_path / "model.onnx", WholeNetwork(fold), fold, features, table())


def test_what_cuts_windows_is_left_out(tmp_path, features, test_part):
    pytest.importorskip("resemblyzer", reason="resemblyzer is not installed")
    model, *_ = exported(tmp_path, features, "speaker")
    found = write_graphs(tmp_path, model, features, {"all": test_part}, {})
    assert "GE2E's encoder inside it cuts each utterance into windows" in found.left_out


def test_a_missing_package_is_named_with_what_installs_it(monkeypatch):
    monkeypatch.setattr(write, "PACKAGES", ("onnx", "no_such_package"))
    with pytest.raises(EmonasError, match=r"no_such_package is not.*pip install 'emonas\[onnx\]'"):
        write.refuse_missing_packages()
