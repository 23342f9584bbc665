"""`method: darts`: differentiable search of convolutional cells (EmotionNAS v1, 2.1 and 3.3)."""

from __future__ import annotations

import math
from importlib.util import find_spec
from typing import TYPE_CHECKING, Literal

import numpy as np
from pydantic import Field

from emonas.errors import EmonasError
from emonas.jobs import Progress, report_line
from emonas.learning.seeds import seed_of
from emonas.search.outcome import SearchOptions, SearchOutcome, SearchProblem
from emonas.storage.genotype import MOST_CELLS, MOST_CHANNELS, MOST_NODES
from emonas.systems.requirements import one_stream

if TYPE_CHECKING:
    import torch

    from emonas.learning.batches import Examples
    from emonas.learning.options import TrainingOptions
    from emonas.networks.search_cells import SearchNetwork
    from emonas.search.bilevel import AlphaSteps
    from emonas.storage.genotype import CellsGenotype

NETWORK = "cells"
"""The kind of network that it finds."""

READS_WHOLE_SYSTEM = False
"""Whether a change of the system's training options changes the search."""

READS_DATA = True
"""Whether any utterance has a say: the parts of the fold and their features are then inputs."""

LIBRARIES = ("numba",)
"""What its jobs import that others don't."""


WORTH_COMPILING = 200_000
"""Pixels, of all images and epochs: with fewer, one operation after the other takes less time than
compiling the loops, which is some 20 s once a machine.
"""


class Options(SearchOptions):
    """DARTS over a feature of fixed length; weights learn by SGD, alphas by Adam."""

    method: Literal["darts"] = Field("darts", description="the search method")
    channels: int = Field(6, ge=1, le=MOST_CHANNELS, description="channels of the first cell (C)")
    cells: int = Field(3, ge=1, le=MOST_CELLS, description="cells (L)")
    nodes: int = Field(4, ge=1, le=MOST_NODES, description="nodes of a cell (N)")
    epochs: int = Field(50, ge=1, description="passes over the weights' utterances")
    batch: int = Field(64, ge=1, description="utterances a batch (DARTS' code)")
    learning_rate: float = Field(0.025, gt=0, le=1000, description="the weights' rate at the start")
    final_learning_rate: float = Field(
        1e-3, ge=0, le=1000, description="where the cosine of the weights' rate ends (DARTS' code)"
    )
    momentum: float = Field(0.9, ge=0, lt=1, description="momentum of the weights")
    weight_decay: float = Field(3e-4, ge=0, description="weight decay of the weights")
    clip: float | None = Field(
        5.0, gt=0, description="largest norm of the weights' gradient (DARTS' code)"
    )
    alpha_learning_rate: float = Field(3e-4, gt=0, le=1000, description="the alphas' rate")
    alpha_betas: tuple[float, float] = Field(
        (0.5, 0.999), description="betas of the alphas' Adam (DARTS' code)"
    )
    alpha_weight_decay: float = Field(
        1e-3, ge=0, description="weight decay of the alphas (DARTS' code)"
    )
    order: Literal["first", "second"] = Field(
        "first",
        description="first takes the weights as given in a step of the alphas, second unrolls one "
        "step of the weights (DARTS' code: first)",
    )
    edges: Literal["two-strongest", "all"] = Field(
        "two-strongest",
        description="edges kept into a node (DARTS' code); all keeps the strongest operation of "
        "every edge",
    )
    fused: bool = Field(
        True,
        description="compute the cells on a processor by compiled loops over what operations share "
        "(docs/performance.md), where there is enough to compute; false: one operation after the "
        "other, for the same numbers",
    )
    alphas_on: Literal["validation", "train-half"] = Field(
        "validation",
        description="what the alphas learn on: the fold's validation part, or one half of its "
        "training part, the weights then learning on the other",
    )


def search(options: Options, problem: SearchProblem) -> SearchOutcome:
    """Search on one fold, and derive the cells from the last epoch's alphas.

    Raises:
        EmonasError: the system is no `cells`, its utterances differ in length, or the alphas are to
            learn on a validation part that is not there.
    """
    from emonas.learning.batches import Batches
    from emonas.learning.loop import Plan, fit
    from emonas.networks.fused_cells.rooms import forget_rooms
    from emonas.search.bilevel import BilevelLearner, settle_statistics

    _refuse_unfit(problem)
    train, held = _parts(options, problem)
    validation = problem.data.validation
    learner = BilevelLearner(
        _network(options, train, len(problem.data.classes), problem.device),
        _weight_steps(options),
        _alpha_steps(options),
        Batches(held, options.batch, _seed(problem, "alphas"), shuffle=True),
        problem.device,
    )
    batches = Batches(train, options.batch, _seed(problem, "weights"), shuffle=True)
    outcome = fit(
        learner,
        batches,
        None if validation is None else Batches(validation, options.batch),
        Plan(options.epochs, architectures=1, macs=_epoch_macs(options, problem, train, held)),
        resume=problem.resume,
        progress=Progress(f"search {problem.name}", options.epochs),
    )
    forget_rooms()
    settle_statistics(learner.network, batches, problem.device)
    return SearchOutcome(
        genotype=_genotype(options, learner.network),
        weights=learner.network.state_dict(),
        history=[dict(row) for row in outcome.history],
        costs=outcome.costs,
    )


def _epoch_macs(options: Options, problem: SearchProblem, train: Examples, held: Examples) -> int:
    """Multiply-accumulates of an epoch: every step takes a batch of each kind, and of second order
    the weights' batch three times more.
    """
    import torch

    from emonas.networks.search_cells import SearchNetwork
    from emonas.systems.computing import pass_macs

    with torch.random.fork_rng(devices=[]):
        classes = len(problem.data.classes)
        network = SearchNetwork(options.channels, options.cells, classes, options.nodes)
    steps, passes = (math.ceil(len(part) / options.batch) for part in (train, held))
    weights = {"first": 1, "second": 4}[options.order]
    return round(weights * pass_macs(network, train) + steps / passes * pass_macs(network, held))


def _network(
    options: Options, train: Examples, classes: int, device: torch.device
) -> SearchNetwork:
    from emonas.networks.search_cells import SearchNetwork

    pixels = options.epochs * len(train) * train.streams[0][0].size
    fused = options.fused and device.type == "cpu" and pixels >= WORTH_COMPILING
    if fused and find_spec("numba") is None:
        report_line("numba is not installed: the cells are computed one operation after the other")
        fused = False
    return SearchNetwork(options.channels, options.cells, classes, options.nodes, fused=fused)


def _refuse_unfit(problem: SearchProblem) -> None:
    if problem.system.network != "cells":
        raise EmonasError(
            f"search.method: darts finds convolutional cells, and the network is "
            f"{problem.system.network}; set network to cells, or choose another method"
        )
    one_stream(problem.system, problem.data.shape.widths)
    examples = [problem.data.train, problem.data.validation]
    lengths = {len(array) for part in examples if part is not None for array in part.streams[0]}
    if len(lengths) > 1:
        raise EmonasError(
            f"inputs: {problem.system.inputs[0].feature} has utterances of {min(lengths)} to "
            f"{max(lengths)} frames, and cells need one length; take a feature of fixed length, "
            "such as spectrogram"
        )


def _parts(options: Options, problem: SearchProblem) -> tuple[Examples, Examples]:
    """What the weights and what the alphas learn on."""
    train, validation = problem.data.train, problem.data.validation
    if options.alphas_on == "train-half":
        first, second = _halves(train.labels, _seed(problem, "halves"))
        return train.take(first), train.take(second)
    if validation is None:
        raise EmonasError(
            "search.alphas_on: validation, but the protocol has no validation part; set it to "
            "train-half, or let the protocol validate"
        )
    return train, validation


def _halves(
    labels: np.ndarray[tuple[int], np.dtype[np.int64]], seed: int
) -> tuple[list[int], list[int]]:
    """Rows of two random halves with the same share of each class."""
    shuffled = np.random.default_rng(seed).permutation(len(labels))
    by_class = shuffled[np.argsort(labels[shuffled], kind="stable")]
    return by_class[::2].tolist(), by_class[1::2].tolist()


def _weight_steps(options: Options) -> TrainingOptions:
    from emonas.learning.options import TrainingOptions

    return TrainingOptions(
        epochs=options.epochs,
        batch=options.batch,
        optimiser="sgd",
        learning_rate=options.learning_rate,
        momentum=options.momentum,
        weight_decay=options.weight_decay,
        schedule="cosine",
        final_learning_rate=options.final_learning_rate,
        clip=options.clip,
    )


def _alpha_steps(options: Options) -> AlphaSteps:
    from emonas.search.bilevel import AlphaSteps

    return AlphaSteps(
        order=options.order,
        learning_rate=options.alpha_learning_rate,
        betas=options.alpha_betas,
        weight_decay=options.alpha_weight_decay,
    )


def _genotype(options: Options, network: SearchNetwork) -> CellsGenotype:
    from emonas.search.derivation import derive
    from emonas.storage.genotype import CellsGenotype

    return CellsGenotype(
        method=options.method,
        channels=options.channels,
        cells=options.cells,
        nodes=options.nodes,
        normal=derive(network.alphas_normal, options.nodes, options.edges),
        reduction=derive(network.alphas_reduction, options.nodes, options.edges),
    )


def _seed(problem: SearchProblem, purpose: str) -> int:
    return seed_of(problem.seed, problem.name, purpose)
