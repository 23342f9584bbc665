"""`network: multilingual-base`: one network for all languages (Multi-gating NAS, 5.2.2, Base)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field, model_validator

from emonas.storage.genotype import AnyGenotype
from emonas.systems.multilingual import domain_objective, encoder_rates, summed_network, union_tower
from emonas.systems.multilingual_options import MultilingualOptions
from emonas.systems.shapes import NetworkShape

if TYPE_CHECKING:
    from torch import nn

    from emonas.learning.objectives import Objective
    from emonas.systems.data import FoldData

DOMAINS = True
"""Whether it treats the domains of a protocol apart: its batches are of one language each."""

rates = encoder_rates


class Options(MultilingualOptions):
    """The sum of all features, one tower over the union of the classes."""

    network: Literal["multilingual-base"] = Field(
        "multilingual-base", description="the kind of system"
    )

    @model_validator(mode="after")
    def _has_one_tower(self) -> Options:
        for domain, own in self.domains.items():
            if own.tower is not None or own.activations is not None:
                raise ValueError(
                    f"domains.{domain}: multilingual-base has one tower for all domains; give "
                    "tower and activations to the system itself"
                )
        return self


def build(options: Options, genotype: AnyGenotype | None, shape: NetworkShape) -> nn.Module:
    """Encoders, sum, one tower."""
    return summed_network(options, shape, union_tower(options, shape, options.size))


def objective(options: Options, data: FoldData, network: nn.Module) -> Objective:
    """Cross entropy over the union, and the contrastive loss with each domain's weight."""
    return domain_objective(options, data, network, union=True)
