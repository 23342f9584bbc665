"""`method: gates`: connections of features, switched for each domain (Multi-gating NAS, 4.3.2)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from emonas.errors import EmonasError
from emonas.jobs import Progress
from emonas.learning.seeds import seed_of
from emonas.search.outcome import SearchOptions, SearchOutcome, SearchProblem
from emonas.storage.genotype import ConnectionsGenotype
from emonas.systems.multilingual_options import GatedOptions

if TYPE_CHECKING:
    from torch import nn

    from emonas.networks.multi_gating import Connections
    from emonas.systems.options import TrainedOptions

Opened = Sequence[Sequence[Sequence[bool]]]
"""Of each domain, whether a connection is open, (domains, features, features)."""

NETWORK = "multi-gating"
"""The kind of network that it finds."""

READS_WHOLE_SYSTEM = True
"""Whether a change of the system's training options changes the search."""

READS_DATA = True
"""Whether any utterance has a say: the parts of the fold and their features are then inputs."""


class Options(SearchOptions):
    """Hard concrete gates that learn together with the weights, on the training part."""

    method: Literal["gates"] = Field("gates", description="the search method")
    retrain: bool = Field(
        False,
        description="train what was found anew; false tests the searched network itself, as the "
        "paper does (our reading)",
    )
    beta: float = Field(0.9, gt=0, description="temperature of the gates (eq. 9)")
    gamma: float = Field(-0.1, lt=0, description="where the stretched gates begin (eq. 9)")
    delta: float = Field(2.0, gt=1, description="where the stretched gates end (eq. 9)")
    penalty: float = Field(
        0.001,
        ge=0,
        description="weight of the expected number of open connections in the loss (ours: the L0 "
        "penalty of Louizos et al.; the paper names none)",
    )
    gate_rate: float = Field(
        50.0,
        gt=0,
        description="learning rate of the gates, as a multiple of the weights' (ours: at 1 no "
        "connection closes in 20 epochs)",
    )


def trained_epochs(options: Options, system: TrainedOptions) -> int:
    """Epochs of a search, for forecasts: those of the system's training."""
    return system.training.epochs


def search(options: Options, problem: SearchProblem) -> SearchOutcome:
    """Train the search network as the system is trained, and close what its gates closed in the
    epoch that the system's training chooses.

    Raises:
        EmonasError: the system has no connections to search.
    """
    from emonas.learning.batches import Batches
    from emonas.learning.loop import Plan, fit
    from emonas.learning.supervised import SupervisedLearner
    from emonas.search.gate_penalty import PenalisedObjective
    from emonas.systems.building import build_searched
    from emonas.systems.computing import pass_macs
    from emonas.systems.objective import learning_rates, make_objective

    system, data, training = _gated(problem), problem.data, problem.system.training
    start = _genotype(options, problem, _all_open(system, problem))
    network = build_searched(system, start, data.shape)
    connections = connections_of(network)
    objective = PenalisedObjective(
        make_objective(system, data, network), connections, options.penalty, data.domains
    )
    rates = {
        **learning_rates(system, data.shape, network),
        **dict.fromkeys(connections.log_kappas(), options.gate_rate),
    }
    learner = SupervisedLearner(network, training, problem.device, objective, rates=rates)
    seed = seed_of(problem.seed, problem.name, "batches")
    macs = pass_macs(network, data.train)
    outcome = fit(
        learner,
        Batches(data.train, training.batch, seed, shuffle=True),
        None if data.validation is None else Batches(data.validation, training.batch),
        Plan(training.epochs, training.select, training.patience, architectures=1, macs=macs),
        resume=problem.resume,
        progress=Progress(f"search {problem.name}", training.epochs),
    )
    opened = (connections.settled() > 0).tolist()
    return SearchOutcome(
        genotype=_genotype(options, problem, opened),
        weights=network.state_dict(),
        history=[
            {**row, "kept": int(row["epoch"] == outcome.best_epoch)} for row in outcome.history
        ],
        costs=outcome.costs,
    )


def connections_of(network: nn.Module) -> Connections:
    """The connections that are searched.

    Raises:
        TypeError: there are none.
    """
    from emonas.networks.multi_gating import Connections
    from emonas.networks.multilingual import MultilingualNetwork

    if isinstance(network, MultilingualNetwork) and isinstance(network.connections, Connections):
        return network.connections
    raise TypeError(f"{type(network).__name__} has no connections to search")


def _gated(problem: SearchProblem) -> GatedOptions:
    system = problem.system
    if system.network != "multi-gating" or not isinstance(system, GatedOptions):
        raise EmonasError(
            f"search.method: gates switches connections of features, and the network is "
            f"{system.network}; set network to multi-gating, or choose another method"
        )
    return system


def _all_open(system: GatedOptions, problem: SearchProblem) -> Opened:
    count = len(system.gated(problem.data.shape.names))
    return [[[True] * count] * count] * len(problem.data.domains)


def _genotype(options: Options, problem: SearchProblem, opened: Opened) -> ConnectionsGenotype:
    tables = {
        domain: tuple(tuple(row) for row in table)
        for domain, table in zip(problem.data.domains, opened, strict=True)
    }
    return ConnectionsGenotype(
        method=options.method,
        beta=options.beta,
        gamma=options.gamma,
        delta=options.delta,
        features=problem.system.gated(problem.data.shape.names),
        domains=tables,
    )
