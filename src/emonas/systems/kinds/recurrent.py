"""`network: recurrent`: a recurrent cell over frames, attention pooling, a classifier."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from emonas.storage.genotype import AnyGenotype, RecurrentGenotype
from emonas.systems.options import TrainedOptions
from emonas.systems.requirements import genotype_of
from emonas.systems.shapes import NetworkShape

if TYPE_CHECKING:
    from torch import nn

EQUAL_LENGTHS = True

WORTH_COMPILING = 64
"""Hidden units: with fewer, most trainings end before the loop is compiled, which takes some 12 s
once a machine.
"""


class Options(TrainedOptions):
    """The second stream of EmotionNAS: a searched cell, or one of the library's by name."""

    network: Literal["recurrent"] = Field("recurrent", description="the kind of system")
    cell: Literal["rnn", "gru", "lstm"] | None = Field(
        None, description="a cell of torch's own in the place of a search"
    )
    hidden: int = Field(256, ge=1, description="width of a hidden state (H)")
    layers: int = Field(1, ge=1, description="stacked layers (L); 1 in v2, 2 in v1")
    dropout: float = Field(0.0, ge=0, lt=1, description="dropout before the classifier (ours)")
    input_dropout: float = Field(
        0.0,
        ge=0,
        lt=1,
        description="share of the input's features that are dropped, the same at every frame of "
        "an utterance (ours)",
    )
    pooling: Literal["attention", "statistics"] = Field(
        "attention",
        description="over the hidden states: a learnt weighted mean, or mean and deviation (ours)",
    )
    fused: bool = Field(
        True,
        description="compute a searched cell of 64 units or more on a processor in one compiled "
        "loop over all steps (docs/performance.md); false: step by step, for the same numbers",
    )


def build(options: Options, genotype: AnyGenotype | None, shape: NetworkShape) -> nn.Module:
    """Cell, pooling over frames, classifier; several inputs stand side by side in each frame."""
    from emonas.networks.recipes import RecipeLayers
    from emonas.networks.recurrent import LibraryLayers, RecurrentClassifier

    width = sum(shape.widths)
    body: nn.Module
    if options.cell is not None:
        body = LibraryLayers(options.cell, width, options.hidden, options.layers)
    else:
        recipe = genotype_of(RecurrentGenotype, options, genotype).recipe
        fused = options.fused and options.hidden >= WORTH_COMPILING
        body = RecipeLayers(recipe, width, options.hidden, options.layers, fused=fused)
    return RecurrentClassifier(
        body, options.hidden, shape.classes, options.dropout, options.pooling, options.input_dropout
    )


build_searched = build
