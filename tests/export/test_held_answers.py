"""What an exported fold answers, held against what a run predicted for the same features."""

import numpy as np
import pandas as pd
import pytest
import torch

from emonas.errors import EmonasError
from emonas.export.contract import read_model
from emonas.export.held_answers import hold_answers
from emonas.export.model import Model
from emonas.storage.features import FeatureFacts, write_features
from emonas.storage.folds import write_part
from emonas.storage.predictions import Predictions, write_predictions
from emonas.storage.weights import read_weights

NAMES = tuple(f"u{number:02d}" for number in range(20))
CLASSES = ("angry", "happy", "sad")
AGAIN = "run the workflow again with this settings file, then export"


@pytest.fixture(scope="module")
def arrays():
    generator = np.random.default_rng(0)
    return [generator.normal(2, 1, (30, 12)).astype(np.float32) for _ in NAMES]


@pytest.fixture(scope="module")
def hold(a_model, arrays, tmp_path_factory):
    """Hold an exported system against predictions that numpy computes from its weights, with some
    logits changed; the predictions are in another order than the test part.
    """
    folder = tmp_path_factory.mktemp("a run")
    with write_features(folder / "fbank.h5", FeatureFacts("fbank", {}, 100.0)) as writer:
        for name, array in zip(NAMES, arrays, strict=True):
            writer.append(name, array)
    table = pd.DataFrame({"utterance": NAMES, "corpus": "c", "label": "sad", "domain": ""})
    write_part(folder / "test.csv", table)
    weights = read_weights(a_model / "group1/linear/weights.safetensors")
    weight, bias = (weights[f"network.classifier.{name}"].numpy() for name in ("weight", "bias"))
    pooled = np.stack([np.concatenate([one.mean(axis=0), one.std(axis=0)]) for one in arrays])

    def held(model=None, exported=a_model, change=0.0):
        logits = pooled @ weight.T + bias
        logits[-1, 0] += change
        backwards = slice(None, None, -1)
        said = Predictions(
            NAMES[backwards],
            ("c",) * len(NAMES),
            ("sad",) * len(NAMES),
            CLASSES,
            logits[backwards],
            pooled[backwards],
        )
        path = folder / "predictions.h5"
        write_predictions(path, {"test": said})
        model = model or read_model(a_model)
        features = {"fbank": {"c": folder / "fbank.h5"}}
        hold_answers(exported, "group1", model, {}, features, folder / "test.csv", path)

    return held


def other_options(a_model, **options):
    """The system as `model.json` would have it, with other options."""
    model = read_model(a_model)
    linear = model.systems["linear"]
    changed = linear.model_copy(update={"options": {**linear.options, **options}})
    return model.model_copy(update={"systems": {"linear": changed}})


def test_the_same_answers_hold(hold):
    hold()
    hold(change=1e-5)


def test_other_answers_do_not(hold):
    with pytest.raises(EmonasError, match=rf"predictions\.h5: linear, .*differ by up to .*{AGAIN}"):
        hold(change=1e-2)


def test_options_that_leave_the_weights_as_they_are_do_not_hold(a_model, hold):
    entry = {"feature": "fbank", "normalise": "utterance"}
    with pytest.raises(EmonasError, match="answers otherwise than in the run"):
        hold(other_options(a_model, inputs=[entry]))


def test_answers_that_are_no_numbers_do_not_hold(with_weights, hold):
    nans = with_weights(lambda held: held["network.classifier.bias"].fill_(np.nan))
    with pytest.raises(EmonasError, match="differ by up to nan"):
        hold(exported=nans)


def test_weights_of_another_network_are_told(with_weights, hold):
    """At export, and where a folder that was exported so is loaded."""
    other = with_weights(lambda held: held.update({"network.classifier.weight": torch.zeros(3, 5)}))
    with pytest.raises(EmonasError, match=rf"learnt \(these weights are of another.*{AGAIN}"):
        hold(exported=other)
    with pytest.raises(EmonasError, match=r"these weights are .*; export the system again") as told:
        Model(other)
    assert "snakemake" not in str(told.value)
