"""How the vectors of several features become one, differently in each domain (Multi-gating, 4.3).

A domain is a language; M features have a vector of one size each.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple, cast

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from emonas.networks.hard_concrete import HardConcreteGates

GATE_UNITS = (256, 128, 64, 32)
"""The hidden layers of a gate that is a perceptron (authors' code)."""


class Combined(NamedTuple):
    """`vector` (batch, width), and where features are weighed, `weights` (batch, M)."""

    vector: Tensor
    weights: Tensor | None = None


class SideBySide(nn.Module):
    """All vectors one after the other, of any widths (Multi-gating, 4.1)."""

    def forward(self, vectors: Sequence[Tensor]) -> Combined:
        """A vector (batch, width) a feature to (batch, sum of widths)."""
        return Combined(torch.cat(list(vectors), dim=1))


class Summed(nn.Module):
    """SB, shared bottom: the sum of all vectors (Multi-gating, 4.3)."""

    def forward(self, vectors: Tensor, selector: Tensor | None, domain: int) -> Combined:
        """(batch, M, size) to (batch, size), whatever the selector and the domain."""
        return Combined(vectors.sum(dim=1))


class LinearGate(nn.Module):
    """W_k x (Multi-gating, eq. 7)."""

    def __init__(self, width: int, features: int) -> None:
        super().__init__()
        self.linear = nn.Linear(width, features, bias=False)

    def forward(self, selector: Tensor) -> Tensor:
        """(batch, width) to a score a feature, (batch, M)."""
        scores: Tensor = self.linear(selector)
        return scores


class PerceptronGate(nn.Module):
    """A gate of several layers with ReLU between them (authors' code)."""

    def __init__(self, width: int, features: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for units in GATE_UNITS:
            layers += [nn.Linear(width, units), nn.ReLU()]
            width = units
        self.layers = nn.Sequential(*layers, nn.Linear(width, features))

    def forward(self, selector: Tensor) -> Tensor:
        """(batch, width) to a score a feature, (batch, M)."""
        scores: Tensor = self.layers(selector)
        return scores


class Gated(nn.Module):
    """The sum of all vectors, weighed by softmax(gate(x)) (Multi-gating, eq. 7).

    `gates` is one for all domains (OMoE), or one a domain (MMoE).
    """

    def __init__(self, gates: Sequence[LinearGate | PerceptronGate]) -> None:
        super().__init__()
        self.gates = nn.ModuleList(gates)

    def forward(self, vectors: Tensor, selector: Tensor, domain: int) -> Combined:
        """(batch, M, size) and x (batch, width) to (batch, size)."""
        gate = self.gates[domain if len(self.gates) > 1 else 0]
        weights = gate(selector).softmax(dim=1)
        return Combined(torch.einsum("bm,bms->bs", weights, vectors), weights)


class Connections(nn.Module):
    """u_i = sum over j of xi_ij W_ij v_j, with gates xi of each domain (Multi-gating, eqs. 8, 9).

    `weight` (M, size, M, size) has W_ij at [i, :, j], shared by all domains; `gates`, (M, M) a
    domain, are drawn once a batch in training, and settled in evaluation. `beta`, `gamma`, `delta`
    and `start` are those of the gates.
    """

    def __init__(
        self,
        features: int,
        size: int,
        domains: int,
        beta: float = 0.9,
        gamma: float = -0.1,
        delta: float = 2.0,
        start: float = 0.0,
    ) -> None:
        super().__init__()
        # Apart: of one tensor, momentum would go on moving the gates of a domain in the batches of
        # all others.
        self.gates = nn.ModuleList(
            HardConcreteGates((features, features), beta, gamma, delta, start)
            for _ in range(domains)
        )
        self.weight = nn.Parameter(torch.empty(features, size, features, size))
        # As torch starts a linear map, of all M features: the sum over j then varies as the output
        # of one map of `size` does (ours; the paper says nothing).
        bound = 1 / math.sqrt(features * size)
        nn.init.uniform_(self.weight, -bound, bound)

    def forward(self, vectors: Tensor, domain: int) -> Tensor:
        """From v (batch, M, size) to u (batch, M, size)."""
        own = self._gates_of(domain)
        gates = own.sample() if self.training else own.settled()
        weight = gates[:, None, :, None] * self.weight
        # All transitions at once: as one linear map from all of v to all of u.
        mapped = nn.functional.linear(vectors.flatten(1), weight.flatten(2).flatten(0, 1))
        return mapped.view_as(vectors)

    def penalty(self, domain: int | None = None) -> Tensor:
        """How many connections are open in expectation, of one domain or of all (ours: the L0
        penalty of Louizos et al.; the paper has none).
        """
        domains = range(len(self.gates)) if domain is None else [domain]
        open_of = [self._gates_of(number).open_probability().sum() for number in domains]
        return torch.stack(open_of).sum()

    def settled(self) -> Tensor:
        """The gates of all domains without chance, (domains, M, M)."""
        return torch.stack([self._gates_of(number).settled() for number in range(len(self.gates))])

    def log_kappas(self) -> list[nn.Parameter]:
        """What the gates of each domain learn."""
        return [self._gates_of(number).log_kappa for number in range(len(self.gates))]

    def _gates_of(self, domain: int) -> HardConcreteGates:
        return cast(HardConcreteGates, self.gates[domain])


class ClosedConnections(nn.Module):
    """What a search left of eq. 8: u_i = sum of W_ij v_j over the connections a domain has open.

    `weight` (connections, size, size) has W_ij of `pairs`, those (i, j) that any domain has open;
    a domain computes its own only.

    Args:
        size: of every vector.
        opened: (domains, M, M), where xi_ij is 1.
    """

    def __init__(self, size: int, opened: npt.ArrayLike) -> None:
        super().__init__()
        gates = np.asarray(opened, dtype=bool)
        anywhere: npt.NDArray[np.bool_] = np.logical_or.reduce(gates)
        self.pairs = tuple((int(i), int(j)) for i, j in np.argwhere(anywhere))
        self._own = tuple(
            tuple((number, *pair) for number, pair in enumerate(self.pairs) if domain[pair])
            for domain in gates
        )
        self.weight = nn.Parameter(torch.empty(len(self.pairs), size, size))
        # As Connections starts, for the features that each u_i still has.
        sources = torch.tensor([anywhere[i].sum() for i, _ in self.pairs], dtype=torch.float32)
        bounds = (sources * size).rsqrt()[:, None, None]
        with torch.no_grad():
            self.weight.uniform_(-1.0, 1.0).mul_(bounds)

    def forward(self, vectors: Tensor, domain: int) -> Tensor:
        """From v (batch, M, size) to u (batch, M, size), zero where nothing leads."""
        own = torch.tensor(self._own[domain], dtype=torch.long, device=vectors.device)
        numbers, targets, sources = own.view(-1, 3).unbind(dim=1)
        by_feature = vectors.transpose(0, 1)
        mapped = torch.bmm(by_feature[sources], self.weight[numbers].transpose(1, 2))
        return torch.zeros_like(by_feature).index_add(0, targets, mapped).transpose(0, 1)
