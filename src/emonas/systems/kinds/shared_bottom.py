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

DOMAINS = True
"""Whether it treats the domains of a protocol apart."""

objective = domain_objective
rates = encoder_rates


class Options(MultilingualOptions):
    """The sum of all features, a tower a domain."""

    network: Literal["shared-bottom"] = Field("shared-bottom", description="the kind of system")


def build(options: Options, genotype: AnyGenotype | None, shape: NetworkShape) -> nn.Module:
    """Encoders, sum, towers."""
    return summed_network(options, shape, domain_towers(options, shape, options.size))
