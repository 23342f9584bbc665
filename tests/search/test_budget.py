"""Random search and hand-made cells, at the budget of a search."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from itertools import islice

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from torch import nn

from emonas.errors import EmonasError
from emonas.learning.batches import Examples
from emonas.learning.resume import ResumePoint
from emonas.networks.derived_cells import DerivedNetwork
from emonas.networks.search_cells import SearchNetwork
from emonas.search.budget import candidate_macs
from emonas.search.methods import cells, darts, hand_made, random_search
from emonas.search.named_cells import NAMED_CELLS, named_cells
from emonas.search.outcome import SearchOutcome, SearchProblem
from emonas.storage.genotype import CellsGenotype, RecurrentGenotype
from emonas.systems.building import build_network
from emonas.systems.data import FoldData
from emonas.systems.kinds.cells import Options as CellsOptions
from emonas.systems.kinds.recurrent import Options as RecurrentOptions
from emonas.systems.kinds.resnet import Options as ResNetOptions
from emonas.systems.normalising import Normaliser
from emonas.systems.options import TrainedOptions
from emonas.systems.shapes import NetworkShape

IMAGES = CellsOptions(inputs=("spectrogram",), training={"epochs": 2, "batch": 8})
FRAMES = RecurrentOptions(inputs=("fbank",), hidden=6, training={"epochs": 2, "batch": 8})
SIZES = {"channels": 2, "cells": 3, "nodes": 2}
DARTS = darts.Options(**SIZES, epochs=3, batch=8)
POOL = cells.Options(random=3, epochs=4, first_epochs=1, halving=2)


def examples(count: int, seed: int, frames: Callable[[int], int] = lambda _: 10) -> Examples:
    generator = np.random.default_rng(seed)
    arrays = [generator.standard_normal((frames(row), 8)).astype("f4") for row in range(count)]
    return Examples((arrays,), np.arange(count) % 2)


def problem(
    system: TrainedOptions, budget: int | None = None, name: str = "demo/x/seed0/fold0"
) -> SearchProblem:
    lengths = (lambda _: 10) if system.network == "cells" else (lambda row: 4 + row % 5)
    data = FoldData(
        ("angry", "sad"),
        NetworkShape((8,), 2),
        examples(20, 0, lengths),
        examples(12, 1, lengths),
        Normaliser(),
    )
    return SearchProblem(system, 0, torch.device("cpu"), ResumePoint(), name, data, budget)


def by_hooks(network: nn.Module, example: np.ndarray) -> int:
    """Multiply-accumulates of one image, from the sizes of each convolution and linear layer."""
    counted = []

    def count(module: nn.Module, _: object, output: torch.Tensor) -> None:
        if isinstance(module, nn.Conv2d):
            height, width = module.kernel_size
            each = module.in_channels // module.groups * height * width
            counted.append(output.numel() * each)
        elif isinstance(module, nn.Linear):
            counted.append(output.numel() * module.in_features)

    for module in network.modules():
        module.register_forward_hook(count)
    with torch.no_grad():
        Examples(([example],), np.zeros(1, np.int64)).batch().through(network.eval())
    return sum(counted)


def candidates(outcome: SearchOutcome) -> list[str]:
    return list(dict.fromkeys(row["candidate"] for row in outcome.history))


@pytest.mark.parametrize(("order", "passes"), [("first", 1), ("second", 4)])
def test_a_search_by_darts_computes_batches_of_weights_and_of_alphas(
    order: str, passes: int
) -> None:
    here = problem(IMAGES)
    one = by_hooks(SearchNetwork(2, 3, 2, nodes=2), here.data.train.streams[0][0])
    outcome = darts.search(DARTS.model_copy(update={"order": order}), here)
    # 20 utterances in batches of 8, 8 and 4; the alphas' 12 in 8 and 4, in three steps one and a
    # half times: 18 on average.
    assert [cost.macs for cost in outcome.costs] == [(passes * 20 + 18) * one] * 3


def test_random_search_takes_as_many_cells_as_the_budget_pays_for() -> None:
    budget = 9_000_000
    here = problem(IMAGES, budget)
    image = here.data.train.streams[0][0]
    options = random_search.Options(budget="cnn", **SIZES)
    outcome = random_search.search(options, here)
    drawn = random_search._drawn(options, here)
    pool, spent, passed = [], 0, 0
    while passed < 10:
        name, genotype = next(drawn)
        needed = 2 * 20 * by_hooks(build_network(IMAGES, genotype, here.data.shape), image)
        if spent + needed > budget:
            passed += 1
        else:
            pool.append(name)
            spent, passed = spent + needed, 0
    assert len(pool) > 2
    assert sorted(candidates(outcome)) == sorted(pool)
    assert sum(cost.macs for cost in outcome.costs) == spent
    assert {row["epoch"] for row in outcome.history} == {1, 2}


def test_the_candidate_of_the_lowest_validation_loss_wins() -> None:
    options = random_search.Options(trials=4, **SIZES)
    outcome = random_search.search(options, problem(IMAGES))
    best = min(outcome.history, key=lambda row: row["validation_loss"])
    pool = dict(islice(random_search._drawn(options, problem(IMAGES)), 4))
    assert outcome.genotype == pool[best["candidate"]]
    assert len(set(map(str, pool.values()))) == 4
    assert outcome.weights == {}
    assert isinstance(outcome.genotype, CellsGenotype)
    assert outcome.genotype.method == "random-search"


def test_what_is_drawn_depends_on_seed_and_name_alone() -> None:
    options = random_search.Options(trials=1)
    one, again, other = (
        next(random_search._drawn(options, problem(FRAMES, name=name)))
        for name in ("a/b/seed0/c", "a/b/seed0/c", "a/b/seed0/d")
    )
    assert one == again != other
    assert isinstance(one[1], RecurrentGenotype)


def linear_nodes(genotype: RecurrentGenotype) -> int:
    """Multiply-accumulates of a frame of 8 numbers through a cell of 6 units."""
    nodes = [node for node in genotype.recipe.values() if node.op == "linear"]
    return sum(6 * (8 if source == "x" else 6) for node in nodes for source in node.input)


def test_recurrent_cells_are_paid_for_by_a_pool_in_rounds() -> None:
    """Six to epoch 1, three to 2, two to 4, by the linear nodes of each."""
    here, pool = problem(FRAMES), cells.gather_pool(POOL)
    frames = sum(map(len, here.data.train.streams[0]))
    measured = {name: candidate_macs(here, genotype) for name, genotype in pool.items()}
    # Pooling and classifier, which all have alike.
    rest = measured["rnn"] - frames * linear_nodes(pool["rnn"])
    assert 0 < rest < frames * 6 * 6
    for name in ("gru", "lstm"):
        assert measured[name] == frames * linear_nodes(pool[name]) + rest
    outcome = cells.search(POOL, here)
    trained = Counter(row["candidate"] for row in outcome.history)
    assert sorted(trained.values()) == [1, 1, 1, 2, 4, 4]
    budget = sum(measured[name] * epochs for name, epochs in trained.items())
    assert sum(cost.macs for cost in outcome.costs) == budget
    rival = hand_made.search(hand_made.Options(budget="rnn"), replace(here, budget=budget))
    taken = candidates(rival)
    assert taken[:4] == ["rnn", "gru", "lstm", "rnn#2"]
    spent = sum(cost.macs for cost in rival.costs)
    following = ("rnn", "gru", "lstm")[len(taken) % 3]
    assert spent <= budget < spent + 2 * measured[following]


def test_no_hand_made_cell_has_more_tries_than_the_others_but_one() -> None:
    """After a whole round, what is left would pay for the cheapest again and again, but the next in
    turn for one only.
    """
    here = problem(FRAMES)
    pool = cells.gather_pool(POOL)
    costs = {name: 2 * candidate_macs(here, pool[name]) for name in ("rnn", "gru", "lstm")}
    budget = sum(costs.values()) + costs["rnn"] + costs["gru"] - 1
    assert budget > sum(costs.values()) + 2 * costs["rnn"]
    rival = hand_made.search(hand_made.Options(budget="rnn"), replace(here, budget=budget))
    assert candidates(rival) == ["rnn", "gru", "lstm", "rnn#2"]


def test_what_is_trained_again_begins_with_other_weights() -> None:
    outcome = hand_made.search(hand_made.Options(trials=4), problem(FRAMES))
    curves = {
        name: [row["train_loss"] for row in outcome.history if row["candidate"] == name]
        for name in ("rnn", "rnn#2")
    }
    assert curves["rnn"] != curves["rnn#2"]
    assert isinstance(outcome.genotype, RecurrentGenotype)
    assert outcome.genotype.name in ("rnn", "gru", "lstm")


def test_one_candidate_is_trained_whatever_the_budget() -> None:
    here = problem(IMAGES, 1)
    outcome = random_search.search(random_search.Options(budget="cnn", **SIZES), here)
    assert candidates(outcome) == ["random-0"]


def test_hand_made_cells_are_chains_with_or_without_skips_and_branches() -> None:
    sources = {
        name: [
            [(edge.source, edge.operation) for edge in NAMED_CELLS[name](3) if edge.node == node]
            for node in range(3)
        ]
        for name in NAMED_CELLS
    }
    separable, skip = "sep_conv_3x3", "skip_connect"
    chain = [[(0, 1), (1, 2), (2, 3)][node] for node in range(3)]
    assert sources["separable"] == [[(a, separable), (b, separable)] for a, b in chain]
    assert sources["dilated"] == [[(a, "dil_conv_3x3"), (b, "dil_conv_3x3")] for a, b in chain]
    assert sources["residual"] == [[(a, skip), (b, separable)] for a, b in chain]
    assert [[a for a, _ in node] for node in sources["branches"]] == [[0, 1]] * 3
    assert len({operation for node in sources["branches"] for _, operation in node}) == 3
    for name in NAMED_CELLS:
        network = DerivedNetwork(named_cells(name, "hand-made", 2, 3, 3), classes=4)
        image = np.zeros((9, 7), np.float32)
        assert by_hooks(network, image) > 0


def test_other_networks_have_no_such_cells() -> None:
    system = ResNetOptions(inputs=("fbank",))
    for method in (random_search, hand_made):
        name = method.__name__.rpartition(".")[2].replace("_", "-")
        with pytest.raises(EmonasError, match=rf"search\.method: {name} .* the network is resnet;"):
            method.search(method.Options(trials=1), problem(system))


@pytest.mark.parametrize("given", [{}, {"budget": "cnn", "trials": 3}])
def test_either_a_budget_or_a_number_is_given(given: dict[str, object]) -> None:
    with pytest.raises(ValidationError, match="either budget"):
        random_search.Options(**given)


def test_the_winner_is_always_trained_anew() -> None:
    with pytest.raises(ValidationError, match="leave retrain true"):
        hand_made.Options(trials=2, retrain=False)


def test_candidates_that_diverge_are_out() -> None:
    """Steps so large that some go to infinity, and those that stay finite are taken from."""
    training = {"epochs": 2, "batch": 8, "optimiser": "sgd", "learning_rate": 300.0}
    system = RecurrentOptions(inputs=("fbank",), hidden=6, training=training)
    outcome = random_search.search(random_search.Options(trials=12), problem(system))
    diverged = {row["candidate"] for row in outcome.history if row["status"] == "diverged"}
    assert diverged
    finite = [row for row in outcome.history if row["candidate"] not in diverged]
    best = min(finite, key=lambda row: row["validation_loss"])["candidate"]
    assert isinstance(outcome.genotype, RecurrentGenotype)
    assert outcome.genotype.name == best
