"""A training whose numbers are no numbers any more."""

import re
from pathlib import Path

import numpy as np
import pytest
import torch

from emonas.errors import EmonasError
from emonas.search.named_recipes import named_recipe
from emonas.storage.genotype import RecurrentGenotype, write_genotype

SLOW = {"epochs": 400, "batch": 8, "optimiser": "sgd", "learning_rate": 30.0, "weight_decay": 1.0}
GRU = {"network": "recurrent", "cell": "gru", "hidden": 6, "training": SLOW}


def failure(store, system, **more):
    with pytest.raises(EmonasError) as told:
        store.train(system, **more)
    return str(told.value)


@pytest.mark.fault
def test_the_message_says_where_what_is_kept_and_what_to_change(store, tally):
    tally("a loss or a weight that is no finite number")
    said = failure(store, GRU)
    found = re.fullmatch(
        r"toy/system/seed0/fold0: the training stopped in epoch (\d+)(, step \d+)?: .*; the state "
        r"after epoch (\d+) is kept in (.*); lower systems\.system\.training\.learning_rate or set "
        r"systems\.system\.training\.clip, with which every fold and seed is trained anew",
        said,
    )
    assert found is not None, said
    assert int(found[1]) == int(found[3]) + 1
    kept = torch.load(Path(found[4]) / "state.pt", weights_only=True)
    assert len(kept["history"]) == int(found[3])
    assert all(torch.isfinite(t).all() for t in kept["learner"]["network"].values())
    assert not (store.folder / "out").exists()
    # The same options come to the same end, from the state that was kept.
    assert failure(store, GRU) == said
    store.train({**GRU, "training": {**SLOW, "learning_rate": 1e-3, "epochs": 1}})


@pytest.mark.fault
def test_of_an_architecture_that_was_drawn_by_chance_another_one_is_the_remedy(store, tally):
    tally("a loss or a weight that is no finite number")
    recipe = named_recipe("gru")
    paths = {}
    for method in ("random", "cells"):
        paths[method] = store.folder / f"{method}.json"
        store.folder.mkdir(exist_ok=True)
        write_genotype(paths[method], RecurrentGenotype(method=method, name="x", recipe=recipe))
    system = {**GRU, "cell": None}
    lower = "lower systems.system.training.learning_rate or set systems.system.training.clip"
    chance = (
        "; its architecture was drawn by chance, and not every one can be trained: let "
        "systems.system.search be {method: random-search, trials: 3}, which leaves out who "
        f"diverges, or {lower}"
    )
    assert chance in failure(store, system, genotype=paths["random"])
    searched = failure(store, system, genotype=paths["cells"])
    assert lower in searched
    assert "by chance" not in searched


@pytest.mark.fault
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_numbers_in_a_feature_that_are_none(store, tally, value):
    """A file that another program wrote may hold them."""
    tally("a feature with numbers that are not finite, or too large")
    for name in store.parts["train"]:
        store.frames[name][0, 0] = value
    said = failure(store, {**GRU, "training": {"epochs": 2, "batch": 8}})
    assert "stopped in epoch 1, step 1: the loss is nan; there is no good state before it" in said
    assert "correct or scale the features" in said


@pytest.mark.fault
@pytest.mark.parametrize("value", [np.nan, np.inf, 1e38])
def test_a_system_that_is_solved_at_once_refuses_them_too(store, tally, value):
    tally("a feature with numbers that are not finite, or too large")
    name = store.parts["train"][3]
    store.frames[name][:] = value
    assert failure(store, {"network": "linear"}) == (
        "toy/system/seed0/fold0: the training stopped in its solution: the pooled frames of "
        f"{name} in f are none or too large; there is no good state before it; correct or scale "
        "the features that it hears, with which every fold and seed is trained anew"
    )


@pytest.mark.fault
@pytest.mark.parametrize("part", ["train", "validation"])
def test_a_late_utterance_s_numbers_are_the_feature_s_fault_and_not_the_rate_s(store, tally, part):
    """Not standardised, so that they stay where they are."""
    tally("a feature with numbers that are not finite, or too large")
    store.frames[store.parts[part][-1]][0, 0] = np.nan
    training = {"epochs": 2, "batch": 4, "by_length": False}
    said = failure(store, {**GRU, "normalise": "none", "training": training})
    assert re.search(r"stopped in epoch 1(, step [2-6]: the loss|: validation_loss) is nan", said)
    assert "correct or scale the features that it hears" in said


@pytest.mark.fault
@pytest.mark.parametrize(
    ("system", "value"),
    [
        ({"network": "linear"}, np.nan),
        ({"network": "linear"}, 3e38),
        ({**GRU, "training": {"epochs": 1}}, np.nan),
    ],
)
def test_an_utterance_that_is_only_tested_gets_no_score_from_such_a_feature(
    store, tally, system, value
):
    """Of logits that are none, argmax would take the first class."""
    tally("a feature with numbers that are not finite, or too large")
    name = sorted(store.parts["test"])[3]
    store.frames[name][:, :2] = value
    said = failure(store, system)
    assert "predictions.h5: not written, because in the part test the embedding of" in said
    assert f"the embedding of {name} of toy holds numbers" in said
    assert "(1 of 14 utterances)" in said
    assert not (store.folder / "out" / "predictions.h5").exists()
