"""Gates that are often exactly 0 or 1 and can still be learnt (Louizos et al., 2017)."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn


class HardConcreteGates(nn.Module):
    """Hard concrete gates of a shape with a learnt kappa each (Multi-gating, eq. 9).

    beta is read inside the sigmoid, as Louizos et al. have it; as printed it stands outside.

    Args:
        shape: of the gates.
        beta: temperature.
        gamma: where the stretched interval begins, below 0.
        delta: where it ends, above 1.
        start: log kappa before learning.

    Raises:
        ValueError: beta is not above 0, or (gamma, delta) does not reach beyond [0, 1].
    """

    def __init__(
        self,
        shape: Sequence[int],
        beta: float = 0.9,
        gamma: float = -0.1,
        delta: float = 2.0,
        start: float = 0.0,
    ) -> None:
        super().__init__()
        if beta <= 0:
            raise ValueError(f"beta must be above 0, not {beta}")
        if not (gamma < 0 and delta > 1):
            raise ValueError(f"gamma must be below 0 and delta above 1, not {gamma} and {delta}")
        self._beta, self._gamma, self._delta = beta, gamma, delta
        self.log_kappa = nn.Parameter(torch.full(tuple(shape), float(start)))

    def sample(self) -> Tensor:
        """One draw of every gate, in [0, 1]."""
        noise = torch.rand_like(self.log_kappa).logit()
        return self._stretch(((noise + self.log_kappa) / self._beta).sigmoid())

    def settled(self) -> Tensor:
        """The gates without chance, as they are used in evaluation (Louizos et al., eq. 13)."""
        return self._stretch(self.log_kappa.sigmoid())

    def open_probability(self) -> Tensor:
        """How probably a drawn gate is not 0 (Louizos et al., eq. 12)."""
        return self._at_least(-self._gamma / self._delta)

    def one_probability(self) -> Tensor:
        """How probably a drawn gate is 1.

        It is where s reaches t = (1 - gamma) / (delta - gamma), whose t / (1 - t) is
        (1 - gamma) / (delta - 1).
        """
        return self._at_least((1 - self._gamma) / (self._delta - 1))

    def _stretch(self, share: Tensor) -> Tensor:
        return (share * (self._delta - self._gamma) + self._gamma).clamp(0.0, 1.0)

    def _at_least(self, odds: float) -> Tensor:
        """P(s / (1 - s) >= odds): where logit(u) >= beta log(odds) - log kappa, u uniform."""
        return (self.log_kappa - self._beta * math.log(odds)).sigmoid()
