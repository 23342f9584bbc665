"""`network: language-specific`: the model of one language (Multi-gating NAS, 4.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from emonas.errors import EmonasError
from emonas.storage.genotype import AnyGenotype
from emonas.systems.multilingual import (
    domain_objective,
    domain_towers,
    encoded_widths,
    encoder_rates,
    encoders,
)
from emonas.systems.multilingual_options import MultilingualOptions
from emonas.systems.shapes import NetworkShape

if TYPE_CHECKING:
    from torch import nn

DOMAINS = True
"""Whether it treats the domains of a protocol apart."""

ONE_DOMAIN = True
"""Whether it can learn one only."""

VECTORS_AS_THEY_ARE = True
"""Whether features of one vector an utterance reach the tower without an encoder."""

objective = domain_objective
rates = encoder_rates


class Options(MultilingualOptions):
    """All features side by side, those of one vector as they are; one tower."""

    network: Literal["language-specific"] = Field(
        "language-specific", description="the kind of system"
    )


def build(options: Options, genotype: AnyGenotype | None, shape: NetworkShape) -> nn.Module:
    """Encoders, tower.

    Raises:
        EmonasError: there are several domains.
    """
    from emonas.networks.multi_gating import SideBySide
    from emonas.networks.multilingual import MultilingualNetwork

    if len(shape.domains) > 1:
        raise EmonasError(
            f"network: language-specific learns one domain, and there are "
            f"{', '.join(shape.domains)}; choose shared-bottom, omoe, mmoe or multi-gating"
        )
    return MultilingualNetwork(
        encoders(options, shape, as_they_are=True),
        None,
        SideBySide(),
        domain_towers(options, shape, sum(encoded_widths(options, shape))),
        dropout=options.input_dropout,
    )
