"""`network: language-specific`: the model of one language (Multi-gating NAS, 4.1)."""

from __future__ import annotations

from collections.abc import Sequence
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
    members: int = Field(
        1,
        ge=1,
        description="towers with other first weights and other dropout that learn beside each "
        "other, and whose probabilities are averaged (ours, after Lakshminarayanan et al. 2017)",
    )


def build(options: Options, genotype: AnyGenotype | None, shape: NetworkShape) -> nn.Module:
    """Encoders, tower.

    Raises:
        EmonasError: there are several domains, or the contrastive loss has nothing to act on.
    """
    from emonas.networks.multi_gating import SideBySide
    from emonas.networks.multilingual import MultilingualNetwork

    if len(shape.domains) > 1:
        raise EmonasError(
            f"network: language-specific learns one domain, and there are "
            f"{', '.join(shape.domains)}; choose shared-bottom, omoe, mmoe or multi-gating"
        )
    heard = encoders(options, shape, as_they_are=True)
    _refuse_idle_loss(options, shape, heard)
    width = sum(encoded_widths(options, shape))
    return MultilingualNetwork(
        heard,
        None,
        SideBySide(),
        [domain_towers(options, shape, width) for _ in range(options.members)],
        dropout=options.input_dropout,
    )


def _refuse_idle_loss(options: Options, shape: NetworkShape, encoders: Sequence[nn.Module]) -> None:
    """The loss is of what the tower sees: without an encoder that learns it changes nothing."""
    learns = any(True for encoder in encoders for _ in encoder.parameters())
    weighs = any(options.of(domain).contrastive for domain in shape.domains)
    if weighs and not learns:
        raise EmonasError(
            f"contrastive: acts on what encoders learn, and {', '.join(shape.names)} reach the "
            "tower as they are; add a sequence of frames, or set contrastive to 0"
        )
