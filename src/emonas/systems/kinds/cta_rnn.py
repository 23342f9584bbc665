"""`network: cta-rnn`: a GRU a block, then attention over blocks and frames (CTA-RNN, 3.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from emonas.storage.genotype import AnyGenotype
from emonas.systems.attention_options import RecurrentAttentionOptions
from emonas.systems.requirements import blocks_of_one_width
from emonas.systems.shapes import NetworkShape

if TYPE_CHECKING:
    from torch import nn

STREAMS = (2, None)
EQUAL_LENGTHS = True


class Options(RecurrentAttentionOptions):
    """CTA-RNN; the streams have one width and equal lengths."""

    network: Literal["cta-rnn"] = Field("cta-rnn", description="the kind of system")


def build(options: Options, genotype: AnyGenotype | None, shape: NetworkShape) -> nn.Module:
    """Parallel GRUs, attention, classifier."""
    from emonas.networks.attention import ChannelTemporalAttention
    from emonas.networks.attentive import ChannelTemporalFusion, VectorClassifier
    from emonas.networks.parallel_gru import ParallelGru

    blocks, width = blocks_of_one_width(options, shape.widths)
    gru = ParallelGru(blocks, width, options.hidden, options.layers, options.dropout)
    attention = ChannelTemporalAttention(2 * options.hidden, options.heads, options.head_width)
    return VectorClassifier(
        ChannelTemporalFusion(attention, gru, options.input_dropout),
        options.heads * options.head_width,
        shape.classes,
        options.output_dropout,
    )
