"""The hand-made baselines of EmotionNAS, trained from end to end."""

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.metrics import balanced_accuracy_score

import emonas.train.job
from emonas.jobs import Progress
from emonas.learning.options import RuntimeOptions
from emonas.storage.folds import write_part
from emonas.storage.predictions import read_predictions
from emonas.storage.tables import read_table
from emonas.storage.weights import read_weights
from emonas.systems.material import Material
from emonas.systems.trained import TrainedFiles
from emonas.train.transfer import TransferJob, predict_transfer

TRAINING = {"epochs": 5, "batch": 7, "learning_rate": 0.01}
SYSTEMS = {
    "cnn-lstm": {"channels": [3, 4], "kernel": 3, "hidden": 5},
    "cnn-gru": {"channels": [3, 4], "kernel": 3, "hidden": 5, "dense": 6},
    "rnn-elm": {"hidden": 5, "machine": 10},
    "ctc-rnn": {"hidden": 5},
}


def system(network, **more):
    return {"network": network, "training": {**TRAINING, **more}, **SYSTEMS[network]}


def contents(outputs):
    paths = (outputs.predictions, outputs.history, outputs.cost, outputs.weights)
    return [path.read_bytes() for path in paths]


@pytest.mark.parametrize("network", SYSTEMS)
def test_it_learns_and_the_same_seed_gives_the_same_bytes(store, network):
    chosen = system(network, epochs=12, select="last")
    outputs = store.train(chosen, "a")
    assert contents(store.train(chosen, "b")) == contents(outputs)
    found = read_predictions(outputs.predictions, "train")
    assert balanced_accuracy_score(found.labels, found.predicted) > 0.6
    assert np.isfinite(found.logits).all()
    assert found.embedding.shape[0] == len(found.labels)


@pytest.mark.parametrize("network", SYSTEMS)
def test_a_test_utterance_has_no_say(store, network):
    before = read_weights(store.train(system(network), "a").weights)
    for name in store.parts["test"]:
        store.frames[name] = store.frames[name] * 100 + 5
    after = read_weights(store.train(system(network), "b").weights)
    assert all(torch.equal(before[name], after[name]) for name in before)


def rnn_elm_files(store, name="a", **more):
    outputs = store.train({**system("rnn-elm"), **more}, name)
    return outputs, read_weights(outputs.weights)


def answers(weights, vectors):
    layer = vectors @ weights["network.machine.weight"].T + weights["network.machine.bias"]
    return layer.sigmoid() @ weights["network.machine.output.weight"].T


def solution(weights, vectors, labels, classes, ridge=1e-3):
    layer = vectors @ weights["network.machine.weight"].T + weights["network.machine.bias"]
    hidden = 1 / (1 + np.exp(-layer.double().numpy()))
    targets = np.eye(len(classes))[[classes.index(label) for label in labels]]
    rows = np.r_[hidden, np.sqrt(ridge) * np.eye(hidden.shape[1])]
    wanted = np.r_[targets, np.zeros((hidden.shape[1], len(classes)))]
    return hidden @ np.linalg.lstsq(rows, wanted, rcond=None)[0]


def test_the_machine_answers_and_is_solved_on_the_training_part(store):
    outputs, weights = rnn_elm_files(store)
    assert bool(weights["network.solved"])
    for part in ("train", "validation", "test"):
        found = read_predictions(outputs.predictions, part)
        vectors = torch.from_numpy(found.embedding)
        np.testing.assert_allclose(found.logits, answers(weights, vectors), atol=1e-4)
    train = read_predictions(outputs.predictions, "train")
    vectors = torch.from_numpy(train.embedding)
    wanted = solution(weights, vectors, train.labels, list(train.classes))
    np.testing.assert_allclose(train.logits, wanted, atol=1e-4)


def test_the_epoch_is_chosen_by_the_mean_probability_of_frames(store):
    outputs, _ = rnn_elm_files(store)
    history = read_table(outputs.history, ("epoch", "validation_ua", "kept"))
    figures = history["validation_ua"].astype(float).tolist()
    (kept,) = history.loc[history["kept"] == "1", "epoch"].astype(int)
    assert kept == 1 + figures.index(max(figures))
    found = read_predictions(outputs.predictions, "validation")
    # The statistics: maxima, minima, means, shares.
    means = found.embedding[:, 6:9]
    predicted = [found.classes[number] for number in means.argmax(axis=1)]
    assert balanced_accuracy_score(found.labels, predicted) == pytest.approx(max(figures))


def test_with_refit_the_machine_is_solved_on_both_parts(store):
    outputs, weights = rnn_elm_files(store, refit=True)
    parts = [read_predictions(outputs.predictions, part) for part in ("train", "validation")]
    vectors = torch.from_numpy(np.concatenate([part.embedding for part in parts]))
    labels = [label for part in parts for label in part.labels]
    wanted = solution(weights, vectors, labels, list(parts[0].classes))
    found = np.concatenate([part.logits for part in parts])
    np.testing.assert_allclose(found, wanted, atol=1e-4)


class StoppedError(Exception):
    pass


@pytest.mark.parametrize("last", [False, True])
def test_a_killed_training_goes_on_to_the_same_bytes(store, monkeypatch, last):
    wanted = contents(store.train(system("rnn-elm"), "a"))

    def step(_, done, __):
        if done == 3:
            raise StoppedError

    def fail(*_):
        raise StoppedError

    with monkeypatch.context() as patch:
        if last:
            patch.setattr(emonas.train.job, "write_outputs", fail)
        else:
            patch.setattr(Progress, "step", step)
        with pytest.raises(StoppedError):
            store.train(system("rnn-elm"), "b")
    assert contents(store.train(system("rnn-elm"), "b")) == wanted


@pytest.mark.parametrize("network", ["rnn-elm", "ctc-rnn"])
def test_another_corpus_is_predicted_by_what_was_trained(store, network):
    outputs = store.train(system(network))
    names = store.parts["test"][:5]
    table = pd.DataFrame({"utterance": names, "corpus": "else", "label": "sad", "domain": ""})
    write_part(store.folder / "else.csv", table)
    paths, _ = store.write()
    job = TransferJob(
        trained=TrainedFiles(store.job(system(network)).system, outputs.weights),
        predictions=outputs.predictions,
        part=store.folder / "else.csv",
        material=Material({"f": {"else": paths["f"]["toy"]}}),
        runtime=RuntimeOptions(device="cpu"),
    )
    predict_transfer(job, store.folder / "else.h5")
    found = read_predictions(store.folder / "else.h5", "test")
    known = read_predictions(outputs.predictions, "test")
    own = dict(zip(known.utterances, known.logits, strict=True))
    wanted = np.stack([own[name] for name in found.utterances])
    np.testing.assert_allclose(found.logits, wanted, atol=1e-4)
