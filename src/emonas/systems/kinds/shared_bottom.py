"""`network: shared-bottom`: shared encoders, a tower a language (Multi-gating NAS, 4.3, SB)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from emonas.storage.genotype import AnyGenotype
from emonas.systems.multilingual import (
    domain_objective,
    domain_towers,
    encoder_rates,
    summed_network,
)
from emonas.systems.multilingual_options import MultilingualOptions
from emonas.systems.shapes import NetworkShape

if TYPE_CHECKING:
    from torch import nn

    from emonas.learning.objectives import Objective
    from emonas.learning.optimisers import Rates
    from emonas.systems.data import FoldData

DOMAINS = True
"""Whether it treats the domains of a protocol apart."""


class Options(MultilingualOptions):
    """The sum of all features, a tower a domain."""

    network: Literal["shared-bottom"] = Field("shared-bottom", description="the kind of system")


def build(options: Options, genotype: AnyGenotype | None, shape: NetworkShape) -> nn.Module:
    """Encoders, sum, towers."""
    return summed_network(options, shape, domain_towers(options, shape, options.size))


def objective(options: Options, data: FoldData, network: nn.Module) -> Objective:
    """Cross entropy in the batch's domain, and the contrastive loss with its weight."""
    return domain_objective(options, data, network)


def rates(options: Options, shape: NetworkShape, network: nn.Module) -> Rates:
    """Encoders that learn at another rate."""
    return encoder_rates(options, shape, network)
