"""Trainings under habits that inflate scores, held against trainings with other options."""

from dataclasses import replace

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import recall_score

from emonas.learning.resume import ResumePoint
from emonas.storage.inflated import BEST_EPOCH, SCALED
from emonas.storage.predictions import predicted_parts, read_predictions
from emonas.train.inflated import train_inflated
from emonas.train.job import learn

EPOCHS = 5
GRU = {
    "network": "recurrent",
    "cell": "gru",
    "hidden": 5,
    "training": {"epochs": EPOCHS, "batch": 6, "learning_rate": 0.03},
}


def inflated(store, system, **more):
    path = store.folder / "inflated.h5"
    train_inflated(store.job(system, **more), path)
    return path


def ua(predictions):
    return recall_score(predictions.labels, predictions.predicted, average="macro")


def test_the_best_epoch_on_test_is_that_of_as_many_epochs_each_tested(store):
    path = inflated(store, GRU)
    tested = {}
    for epochs in range(1, EPOCHS + 1):
        training = {**GRU["training"], "epochs": epochs, "select": "last"}
        written = store.train({**GRU, "training": training}, f"after {epochs}")
        tested[epochs] = read_predictions(written.predictions, "test")
    wanted = max(tested.values(), key=ua)
    found = read_predictions(path, BEST_EPOCH)
    assert found.utterances == wanted.utterances
    np.testing.assert_allclose(found.logits, wanted.logits, atol=1e-5)
    own = read_predictions(store.train(GRU, "own").predictions, "test")
    assert ua(found) >= ua(own)


def test_a_refit_learns_no_utterance_of_the_test_part(store):
    job = store.job({**GRU, "refit": True})
    device = job.prepare()
    job = replace(job, chosen_on=job.parts["test"])
    learnt = learn(job, None, device, ResumePoint())
    learnt_from = [*store.parts["train"], *store.parts["validation"]]
    assert sorted(learnt.data.train.names) == sorted(learnt_from)
    assert learnt.data.scaled is None


def test_a_refit_is_scaled_over_every_utterance_once(store):
    job = store.job({**GRU, "refit": True})
    device = job.prepare()
    job = replace(job, scaled_over=(job.parts["validation"], job.parts["test"]))
    learnt = learn(job, None, device, ResumePoint())
    assert sorted(learnt.data.scaled.names) == sorted(store.frames)


def test_a_scaler_over_all_data_knows_the_test_part(store):
    """Of a test part that is shifted, a linear classifier that is made by hand."""
    for name in store.parts["test"]:
        store.frames[name] += 3
    linear = {"network": "linear", "strengths": [0.5]}
    path = inflated(store, linear)
    vectors = {
        name: np.concatenate([frames.mean(axis=0), frames.std(axis=0)])
        for name, frames in store.frames.items()
    }
    every = np.stack([vectors[name] for names in store.parts.values() for name in names])
    scaled = {n: (v - every.mean(axis=0)) / every.std(axis=0) for n, v in vectors.items()}
    train, test = store.parts["train"], store.parts["test"]
    model = LogisticRegression(C=0.5, max_iter=5000)
    model.fit([scaled[name] for name in train], [store.labels[name] for name in train])
    wanted = model.predict_proba([scaled[name] for name in sorted(test)])
    found = read_predictions(path, SCALED)
    assert list(found.utterances) == sorted(test)
    np.testing.assert_allclose(found.probabilities, wanted, atol=1e-4)
    own = read_predictions(store.train(linear).predictions, "test")
    assert not np.allclose(own.probabilities, wanted, atol=0.01)


def test_a_network_s_features_are_scaled_over_all_parts(store, monkeypatch):
    """Frames that are scaled by hand before, and not by the system, give the same."""
    path = inflated(store, GRU)
    every = np.concatenate([store.frames[n] for names in store.parts.values() for n in names])
    wide = every.astype(np.float64)
    for name, frames in store.frames.items():
        store.frames[name] = ((frames - wide.mean(axis=0)) / wide.std(axis=0)).astype(np.float32)
    again = store.train({**GRU, "normalise": "none"}, "scaled by hand")
    wanted = read_predictions(again.predictions, "test")
    np.testing.assert_allclose(read_predictions(path, SCALED).logits, wanted.logits, atol=1e-4)


def test_a_habit_that_a_system_can_not_have_is_left_out(store):
    refitted = {"network": "linear", "strengths": [0.1, 1.0], "refit": True}
    assert predicted_parts(inflated(store, refitted)) == (SCALED,)
    for nothing_to_choose in ({"classifier": "lda"}, {"strengths": [0.1]}):
        linear = {"network": "linear", **nothing_to_choose}
        assert predicted_parts(inflated(store, linear)) == (SCALED,)
    assert predicted_parts(inflated(store, {**GRU, "normalise": "none"})) == (BEST_EPOCH,)


def test_the_system_s_own_training_is_what_it_was(store):
    before = store.train(GRU, "before").predictions.read_bytes()
    inflated(store, GRU)
    assert store.train(GRU, "after").predictions.read_bytes() == before
