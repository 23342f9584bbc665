"""`network: mmoe`: a gating network a language (Multi-gating NAS, 5.2.2, MMoE)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from emonas.storage.genotype import AnyGenotype
from emonas.systems.multilingual import domain_objective, encoder_rates, gated_network
from emonas.systems.multilingual_options import GatedOptions
from emonas.systems.shapes import NetworkShape

if TYPE_CHECKING:
    from torch import nn

DOMAINS = True
"""Whether it treats the domains of a protocol apart."""

objective = domain_objective
rates = encoder_rates


class Options(GatedOptions):
    """Features weighed in each domain by its own gating network, a tower a domain."""

    network: Literal["mmoe"] = Field("mmoe", description="the kind of system")


def build(options: Options, genotype: AnyGenotype | None, shape: NetworkShape) -> nn.Module:
    """Encoders, a gating network and a tower a domain."""
    return gated_network(options, shape, gates=len(shape.domains))
