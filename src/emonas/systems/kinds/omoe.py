"""`network: omoe`: one gating network for all languages (Multi-gating NAS, 5.2.2, OMoE)."""

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
    """Features weighed alike in all domains, a tower a domain."""

    network: Literal["omoe"] = Field("omoe", description="the kind of system")


def build(options: Options, genotype: AnyGenotype | None, shape: NetworkShape) -> nn.Module:
    """Encoders, one gating network, towers."""
    return gated_network(options, shape, gates=1)
