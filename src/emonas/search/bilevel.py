"""Weights learn on one set of utterances, alphas on another (EmotionNAS v1, eq. 3)."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from typing import Any, Literal

import torch
from torch import Tensor, nn

from emonas.learning.batches import Batch, Batches
from emonas.learning.options import TrainingOptions
from emonas.learning.scores import Scored
from emonas.learning.supervised import SupervisedLearner
from emonas.networks.cell_operations import OPERATIONS
from emonas.networks.cell_skeleton import cell_edges
from emonas.networks.search_cells import SearchNetwork
from emonas.search.hypergradient import Gradient, VirtualStep, first_order, second_order

_PASSES = 1 << 20
"""More than the passes over the alphas' batches in one epoch, so that each has its own order."""


@dataclass(frozen=True)
class AlphaSteps:
    """How the alphas learn, by Adam."""

    order: Literal["first", "second"]
    learning_rate: float
    betas: tuple[float, float]
    weight_decay: float


class BilevelLearner(SupervisedLearner):
    """A step of the alphas, then one of the weights; see `emonas.learning.loop.Learner`.

    Args:
        network: the search network.
        weights: how the weights learn, by SGD.
        alphas: how the alphas learn.
        held: the batches on which the alphas learn.
        device: where it is computed.
    """

    network: SearchNetwork

    def __init__(
        self,
        network: SearchNetwork,
        weights: TrainingOptions,
        alphas: AlphaSteps,
        held: Batches,
        device: torch.device,
    ) -> None:
        super().__init__(network, weights, device, parameters=network.weights())
        self._order = alphas.order
        self._held = held
        self._held_batches: Iterator[Batch] = iter(())
        self._alphas = network.alphas()
        self._alpha_optimiser = torch.optim.Adam(
            self._alphas,
            lr=alphas.learning_rate,
            betas=alphas.betas,
            weight_decay=alphas.weight_decay,
        )

    def begin_epoch(self, epoch: int) -> None:
        """Set the learning rate, and start the alphas' batches anew."""
        super().begin_epoch(epoch)
        self._held_batches = self._endless(epoch)

    def train_batch(self, batch: Batch) -> Scored:
        """One step of the alphas on their own next batch, one of the weights on this batch."""
        self.network.train()
        self._step_alphas(batch, next(self._held_batches).to(self.device))
        # What batch norms keep for later is estimated when the weights are there to stay.
        with statistics_kept(self.network):
            return super().train_batch(batch)

    @torch.no_grad()
    def validate_batch(self, batch: Batch) -> Scored:
        """Score as the alphas see the network, by the batch's own statistics: the running ones lag
        behind weights that change so fast in so few steps.
        """
        self.network.train()
        with statistics_kept(self.network):
            output = batch.through(self.network)
        loss = self._objective.classification(output, batch)
        return Scored(loss.item(), output.logits, batch.labels)

    @torch.no_grad()
    def facts(self) -> dict[str, float]:
        """Learning rate, the alphas' mean entropy in nats, and every softmax weight as
        `alpha_{cell}_{source}-{state}_{operation}`.
        """
        cells = {"normal": self.network.alphas_normal, "reduction": self.network.alphas_reduction}
        edges = cell_edges(self.network.nodes)
        columns: dict[str, float] = {}
        for cell, alphas in cells.items():
            for (node, source), row in zip(edges, alphas.softmax(dim=1).tolist(), strict=True):
                for name, weight in zip(OPERATIONS, row, strict=True):
                    columns[f"alpha_{cell}_{source}-{node + 2}_{name}"] = weight
        logs = torch.cat(list(cells.values())).log_softmax(dim=1)
        entropy = -(logs.exp() * logs).sum(dim=1).mean()
        return {**super().facts(), "alpha_entropy": entropy.item(), **columns}

    def state(self) -> dict[str, Any]:
        """Network and both optimisers."""
        return {**super().state(), "alpha_optimiser": self._alpha_optimiser.state_dict()}

    def restore(self, state: dict[str, Any]) -> None:
        """Take back network and optimisers."""
        super().restore(state)
        self._alpha_optimiser.load_state_dict(state["alpha_optimiser"])

    def _endless(self, epoch: int) -> Iterator[Batch]:
        for number in count(epoch * _PASSES):
            yield from self._held.epoch(number)

    def _step_alphas(self, batch: Batch, held: Batch) -> None:
        with statistics_kept(self.network):
            gradient = self._alpha_gradient(batch, held)
        for parameter, part in zip(self._alphas, gradient, strict=True):
            parameter.grad = part
        self._alpha_optimiser.step()

    def _alpha_gradient(self, batch: Batch, held: Batch) -> Gradient:
        if self._order == "first":
            return first_order(self._parameters, self._alphas, lambda: self._loss(held))
        step = VirtualStep(
            self._rate, self._options.momentum, self._options.weight_decay, self._velocities()
        )
        return second_order(
            self._parameters,
            self._alphas,
            lambda: self._loss(batch),
            lambda: self._loss(held),
            step,
        )

    def _loss(self, batch: Batch) -> Tensor:
        loss: Tensor = self._objective(batch.through(self.network), batch)
        return loss

    def _velocities(self) -> list[Tensor]:
        """SGD's momentum of each weight, zeros before its first step."""
        states = [self._optimiser.state[weight] for weight in self._parameters]
        found = [state.get("momentum_buffer") for state in states]
        pairs = zip(found, self._parameters, strict=True)
        return [torch.zeros_like(w) if velocity is None else velocity for velocity, w in pairs]


@torch.no_grad()
def settle_statistics(network: nn.Module, batches: Batches, device: torch.device) -> None:
    """Estimate the running statistics of batch norms anew, as means over all batches with the
    weights as they are: those that learning left belong to the weights of many steps.
    """
    norms = _norms(network)
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None
    network.train()
    for batch in batches.epoch():
        network(*batch.to(device).streams)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum


@contextmanager
def statistics_kept(network: nn.Module) -> Iterator[None]:
    """Let batch norms use a batch's own statistics without adding them to the running ones, which
    belong to the weights.
    """
    norms = _norms(network)
    for norm in norms:
        norm.track_running_stats = False
    try:
        yield
    finally:
        for norm in norms:
            norm.track_running_stats = True


def _norms(network: nn.Module) -> list[nn.BatchNorm2d]:
    return [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
