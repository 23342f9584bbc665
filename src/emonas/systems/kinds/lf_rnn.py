"""`network: lf-rnn`: an RNN-MHSA a stream, their vectors together (CTA-RNN, 4.2.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from emonas.storage.genotype import AnyGenotype
from emonas.systems.attention_options import RecurrentAttentionOptions, recurrent_attention
from emonas.systems.shapes import NetworkShape

if TYPE_CHECKING:
    from torch import nn


class Options(RecurrentAttentionOptions):
    """Late fusion; each stream keeps its own width and lengths."""

    network: Literal["lf-rnn"] = Field("lf-rnn", description="the kind of system")
    second: bool = Field(
        False,
        description="send the vectors, as a sequence, through one more RNN-MHSA, which is the "
        "paper's literal word; else they stand side by side (our reading)",
    )


def build(options: Options, genotype: AnyGenotype | None, shape: NetworkShape) -> nn.Module:
    """An RNN-MHSA a stream, classifier."""
    from emonas.networks.attentive import LateFusion, VectorClassifier

    vector = options.heads * options.head_width
    bodies = [recurrent_attention(options, width) for width in shape.widths]
    second = None
    if options.second:
        second = recurrent_attention(options.model_copy(update={"input_dropout": 0.0}), vector)
    width = vector if options.second else len(bodies) * vector
    return VectorClassifier(
        LateFusion(bodies, second), width, shape.classes, options.output_dropout
    )
