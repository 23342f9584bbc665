"""`joint: true`: the streams' own networks learn on with the fusion."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from emonas.fuse.job import FuseJob, fuse_streams
from emonas.fuse.joint import JointInputs
from emonas.fuse.options import FusionOptions
from emonas.kinds import kind_options
from emonas.learning.options import RuntimeOptions
from emonas.storage.cost import read_network_cost
from emonas.storage.features import FeatureFacts, write_features
from emonas.storage.folds import PARTS, write_part
from emonas.storage.predictions import read_predictions
from emonas.storage.weights import read_weights
from emonas.systems.material import Material
from emonas.systems.outputs import SystemOutputs
from emonas.systems.trained import TrainedFiles
from emonas.train.job import TrainJob, train_system

CPU = RuntimeOptions(device="cpu")
SYSTEMS = {
    "gru": {"network": "recurrent", "inputs": ["frames"], "cell": "gru", "hidden": 5},
    "rnn": {"network": "recurrent", "inputs": ["frames"], "cell": "rnn", "hidden": 3},
}


@pytest.fixture
def fold(tmp_path):
    """A feature file, the parts of a fold, and both streams trained on it."""
    generator = np.random.default_rng(0)
    names = [f"u{number:02d}" for number in range(24)]
    feature = tmp_path / "frames.h5"
    with write_features(feature, FeatureFacts("test", {}, 100.0)) as writer:
        for number, name in enumerate(names):
            frames = generator.normal(number % 2, 1, (generator.integers(3, 7), 4))
            writer.append(name, frames.astype(np.float32))
    parts = {}
    for part, rows in zip(PARTS, (range(12), range(12, 18), range(18, 24)), strict=True):
        parts[part] = tmp_path / f"{part}.csv"
        table = pd.DataFrame({"utterance": [names[row] for row in rows], "corpus": "c"})
        table["label"] = ["sad" if row % 2 else "angry" for row in rows]
        write_part(parts[part], table.assign(domain=""))
    features = {"frames": {"c": feature}}
    trained = {name: _train(tmp_path, name, features, parts) for name in SYSTEMS}
    return features, parts, trained


def _outputs(folder: Path) -> SystemOutputs:
    return SystemOutputs(
        folder / "predictions.h5",
        folder / "history.csv",
        folder / "cost.csv",
        folder / "cost.json",
        folder / "weights.safetensors",
    )


def _train(folder, name, features, parts):
    training = {"epochs": 2, "select": "last"}
    system = kind_options("network", {**SYSTEMS[name], "training": training})
    outputs = _outputs(folder / name)
    job = TrainJob(
        name=name,
        system=system,
        seed=0,
        material=Material(features),
        parts=parts,
        runtime=CPU,
        resume=folder / "resume",
        code="",
    )
    train_system(job, outputs)
    return system, outputs


def _fuse(folder, fold, *, joint, rate):
    features, parts, trained = fold
    training = {"epochs": 1, "learning_rate": rate, "select": "last"}
    options = FusionOptions(
        fuse=tuple(SYSTEMS), method="ism", dominant="gru", joint=joint, training=training
    )
    streams = {name: TrainedFiles(system, out.weights) for name, (system, out) in trained.items()}
    outputs = _outputs(folder)
    fuse_streams(
        FuseJob(
            name="fused",
            options=options,
            seed=0,
            predictions={name: out.predictions for name, (_, out) in trained.items()},
            costs={name: out.cost for name, (_, out) in trained.items()},
            runtime=CPU,
            resume=folder / "resume",
            code="",
            joint=JointInputs(streams, features, parts) if joint else None,
        ),
        outputs,
    )
    return outputs


def test_the_streams_begin_as_they_were_trained(tmp_path, fold):
    """With next to no learning the joint network is the ISM of the trained streams' embeddings."""
    outputs = _fuse(tmp_path / "joint", fold, joint=True, rate=1e-12)
    kept = read_weights(outputs.weights)
    gru, rnn = (
        torch.from_numpy(read_predictions(out.predictions, "test").embedding)
        for _, out in fold[2].values()
    )

    def linear(name, values):
        return values @ kept[f"network.{name}.weight"].T + kept[f"network.{name}.bias"]

    supplied = linear("fusion.fusion.supplements.0", rnn)
    selected = torch.tanh(linear("fusion.fusion.selectors.0", gru) * supplied)
    expected = linear("fusion.classifier", gru + selected * supplied)
    logits = torch.from_numpy(read_predictions(outputs.predictions, "test").logits)
    torch.testing.assert_close(logits, expected, rtol=1e-4, atol=1e-5)


def test_the_streams_learn_on(tmp_path, fold):
    outputs = _fuse(tmp_path / "joint", fold, joint=True, rate=1e-2)
    kept = read_weights(outputs.weights)
    for number, (_, out) in enumerate(fold[2].values()):
        before = read_weights(out.weights)
        name = "body.cells.weight_hh_l0"
        moved = kept[f"network.networks.{number}.{name}"] - before[f"network.{name}"]
        assert moved.abs().max() > 1e-3


def test_the_cost_is_that_of_the_frozen_fusion(tmp_path, fold):
    joint = read_network_cost(_fuse(tmp_path / "a", fold, joint=True, rate=1e-3).cost)
    frozen = read_network_cost(_fuse(tmp_path / "b", fold, joint=False, rate=1e-3).cost)
    # The streams' own classifiers are left out of the joint network's operations.
    assert joint.derived == frozen.derived
    assert joint.search is None
    assert joint.macs <= frozen.macs


def test_the_perceptron_can_not_be_joint():
    with pytest.raises(ValueError, match="joint trains on embeddings"):
        FusionOptions(fuse=("gru", "rnn"), method="perceptron", joint=True)


def test_a_job_that_goes_on_does_so_with_the_same_files_of_all_streams():
    system = kind_options("network", SYSTEMS["gru"])
    files = TrainedFiles(system, Path("weights"), Path("genotype"))
    inputs = JointInputs({"gru": files}, {"f": {"toy": Path("features")}}, {"train": Path("train")})
    assert {str(path) for path in inputs.paths} == {"train", "features", "weights", "genotype"}
