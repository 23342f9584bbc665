"""`network: cta`: attention over blocks and frames, without GRUs (CTA-RNN, 4.3.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from emonas.storage.genotype import AnyGenotype
from emonas.systems.attention_options import AttentionOptions
from emonas.systems.requirements import blocks_of_one_width
from emonas.systems.shapes import NetworkShape

if TYPE_CHECKING:
    from torch import nn

STREAMS = (2, None)
EQUAL_LENGTHS = True


class Options(AttentionOptions):
    """CTA on the embeddings themselves; the streams have one width and equal lengths."""

    network: Literal["cta"] = Field("cta", description="the kind of system")


def build(options: Options, genotype: AnyGenotype | None, shape: NetworkShape) -> nn.Module:
    """Attention, classifier."""
    from emonas.networks.attention import ChannelTemporalAttention
    from emonas.networks.attentive import ChannelTemporalFusion, VectorClassifier

    _, width = blocks_of_one_width(options, shape.widths)
    attention = ChannelTemporalAttention(width, options.heads, options.head_width)
    return VectorClassifier(
        ChannelTemporalFusion(attention, input_dropout=options.input_dropout),
        options.heads * options.head_width,
        shape.classes,
        options.output_dropout,
    )
