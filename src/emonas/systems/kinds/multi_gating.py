"""`network: multi-gating`: searched connections and a gating network a language (4.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from emonas.errors import EmonasError
from emonas.storage.genotype import AnyGenotype, ConnectionsGenotype
from emonas.systems.multilingual import domain_objective, encoder_rates, gated_network
from emonas.systems.multilingual_options import GatedOptions
from emonas.systems.requirements import genotype_of
from emonas.systems.shapes import NetworkShape

if TYPE_CHECKING:
    from torch import nn

DOMAINS = True
"""Whether it treats the domains of a protocol apart."""

objective = domain_objective
rates = encoder_rates


class Options(GatedOptions):
    """Features led to each other as the search found for each domain, then weighed by the domain's
    gating network; a tower a domain.
    """

    network: Literal["multi-gating"] = Field("multi-gating", description="the kind of system")


def build(options: Options, genotype: AnyGenotype | None, shape: NetworkShape) -> nn.Module:
    """The network of the open connections only.

    Raises:
        EmonasError: the genotype is of other features or domains.
    """
    from emonas.networks.multi_gating import ClosedConnections

    found = _own(options, genotype, shape)
    opened = [found.domains[domain] for domain in shape.domains]
    return gated_network(
        options,
        shape,
        gates=len(shape.domains),
        connections=ClosedConnections(options.size, opened),
    )


def build_searched(options: Options, genotype: AnyGenotype, shape: NetworkShape) -> nn.Module:
    """The search network: all connections, each with its gates.

    Raises:
        EmonasError: the genotype is of other features or domains.
    """
    from emonas.networks.multi_gating import Connections

    found = _own(options, genotype, shape)
    return gated_network(
        options,
        shape,
        gates=len(shape.domains),
        connections=Connections(
            len(found.features),
            options.size,
            len(shape.domains),
            found.beta,
            found.gamma,
            found.delta,
        ),
    )


def _own(
    options: Options, genotype: AnyGenotype | None, shape: NetworkShape
) -> ConnectionsGenotype:
    """The genotype, if it connects the features that are weighed, in the domains that there are."""
    found = genotype_of(ConnectionsGenotype, options, genotype)
    features, domains = options.gated(shape.names), tuple(shape.domains)
    if (found.features, tuple(found.domains)) != (features, domains):
        raise EmonasError(
            f"genotype: connects {', '.join(found.features)} for {', '.join(found.domains)}, and "
            f"the system has {', '.join(features)} for {', '.join(domains)}; search again"
        )
    return found
