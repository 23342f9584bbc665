"""`refit: true`: the epoch is chosen on validation, then both parts are learnt from together."""

import numpy as np
import pytest
import torch

from emonas.learning.resume import ResumePoint
from emonas.storage.predictions import read_predictions
from emonas.storage.tables import read_table
from emonas.storage.weights import read_weights

SYSTEM = {"network": "recurrent", "cell": "gru", "hidden": 6, "training": {"epochs": 5, "batch": 7}}
REFIT = {**SYSTEM, "refit": True}


def equal(one, other):
    first, second = read_weights(one.weights), read_weights(other.weights)
    return all(torch.equal(first[name], second[name]) for name in first)


def test_both_parts_are_learnt_from_and_standardised_by(store):
    outputs = store.train(REFIT)
    names = store.parts["train"] + store.parts["validation"]
    frames = np.concatenate([store.frames[name] for name in names])
    found = read_weights(outputs.weights)["normaliser.0.mean"].numpy()
    np.testing.assert_allclose(found, frames.mean(axis=0), rtol=1e-5)


def test_the_history_is_that_of_the_choice_and_the_cost_that_of_both(store):
    chosen, refitted = store.train(SYSTEM, "a"), store.train(REFIT, "b")
    assert chosen.history.read_bytes() == refitted.history.read_bytes()
    history = read_table(refitted.history, ("epoch", "kept"))
    (best,) = history.loc[history["kept"] == "1", "epoch"].astype(int)
    costs = read_table(refitted.costs, ("epoch",))["epoch"].astype(int).tolist()
    assert costs == list(range(1, 5 + best + 1))
    assert not equal(chosen, refitted)


def test_where_the_last_epoch_counts_there_is_one_training(store):
    last = {**SYSTEM["training"], "select": "last"}
    # A list is kept in the order of its names.
    names = sorted(store.parts["train"] + store.parts["validation"])
    store.parts["train"], store.parts["validation"] = names[:-8], names[-8:]
    outputs = store.train({**REFIT, "training": last})
    costs = read_table(outputs.costs, ("epoch",))["epoch"].astype(int).tolist()
    assert costs == list(range(1, 6))
    store.parts["train"], store.parts["validation"] = names, []
    assert equal(outputs, store.train({**SYSTEM, "training": last}, "whole"))


def test_a_validation_utterance_has_a_say_and_a_tested_one_has_none(store):
    before = store.train(REFIT, "a")
    store.frames[store.parts["test"][0]] *= 50
    assert equal(before, store.train(REFIT, "b"))
    store.frames[store.parts["validation"][0]] *= 2
    assert not equal(before, store.train(REFIT, "c"))


@pytest.mark.parametrize("stop", [2, 4, 5, 6])
def test_a_killed_refit_goes_on_to_the_same_weights(store, monkeypatch, stop):
    whole = store.train(REFIT, "whole")
    calls, keep = [], ResumePoint.save

    def save(self, state, *more):
        keep(self, state, *more)
        calls.append(1)
        if len(calls) == stop:
            raise KeyboardInterrupt

    monkeypatch.setattr(ResumePoint, "save", save)
    try:
        store.train(REFIT, "again")
    except KeyboardInterrupt:
        monkeypatch.undo()
        store.train(REFIT, "again")
    again = type(whole)(**{k: store.folder / "again" / v.name for k, v in vars(whole).items()})
    assert equal(whole, again)
    one, other = (read_predictions(outputs.predictions, "test") for outputs in (whole, again))
    assert np.array_equal(one.logits, other.logits)


def test_a_rate_that_goes_by_validation_can_not_be_refitted(store):
    with pytest.raises(ValueError, match="refit trains without validation"):
        store.job({**REFIT, "training": {"schedule": "plateau"}})
