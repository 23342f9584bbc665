"""The loss of a system, and a price for every connection that its gates are likely to open."""

from collections.abc import Sequence

import torch
from torch import Tensor

from emonas.learning.batches import Batch
from emonas.learning.objectives import Objective
from emonas.networks.multi_gating import Connections
from emonas.networks.streams import Output


class PenalisedObjective(Objective):
    """A system's objective, plus `weight` times the expected number of open connections of the
    batch's domain (Louizos et al., 2017, eq. 12).
    """

    def __init__(
        self, own: Objective, connections: Connections, weight: float, domains: Sequence[str]
    ) -> None:
        super().__init__()
        self._own = own
        self._weight = weight
        self._domains = tuple(domains)
        # In a list, because the gates are the network's parameters and not the objective's.
        self._connections = [connections]

    def classification(self, output: Output, batch: Batch) -> Tensor:
        """That of the system's objective."""
        return self._own.classification(output, batch)

    def forward(self, output: Output, batch: Batch) -> Tensor:
        """With the price of the connections."""
        loss: Tensor = self._own(output, batch)
        return loss + self._weight * self._connections[0].penalty(batch.domain)

    @torch.no_grad()
    def facts(self) -> dict[str, float]:
        """The expected number of open connections as `open_{domain}`, and what else is told."""
        opened = {
            f"open_{domain or 'all'}": float(self._connections[0].penalty(number))
            for number, domain in enumerate(self._domains)
        }
        return {**self._own.facts(), **opened}
