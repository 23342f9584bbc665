"""`network: wf-rnn`: a learnt weighted mean of all blocks, then RNN-MHSA (CTA-RNN, 4.2.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from emonas.storage.genotype import AnyGenotype
from emonas.systems.attention_options import RecurrentAttentionOptions, recurrent_attention
from emonas.systems.requirements import blocks_of_one_width
from emonas.systems.shapes import NetworkShape

if TYPE_CHECKING:
    from torch import nn

STREAMS = (2, None)
EQUAL_LENGTHS = True


class Options(RecurrentAttentionOptions):
    """Weighted fusion; the streams have one width and equal lengths."""

    network: Literal["wf-rnn"] = Field("wf-rnn", description="the kind of system")


def build(options: Options, genotype: AnyGenotype | None, shape: NetworkShape) -> nn.Module:
    """Weighted mean, GRU, attention, classifier."""
    from emonas.networks.attentive import VectorClassifier, WeightedFusion

    blocks, width = blocks_of_one_width(options, shape.widths)
    body = WeightedFusion(blocks, recurrent_attention(options, width))
    return VectorClassifier(
        body, options.heads * options.head_width, shape.classes, options.output_dropout
    )
