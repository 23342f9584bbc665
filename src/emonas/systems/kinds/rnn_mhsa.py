"""`network: rnn-mhsa`: a bidirectional GRU and attention of several heads (CTA-RNN, 4.2.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from emonas.storage.genotype import AnyGenotype
from emonas.systems.attention_options import RecurrentAttentionOptions, recurrent_attention
from emonas.systems.requirements import one_stream
from emonas.systems.shapes import NetworkShape

if TYPE_CHECKING:
    from torch import nn

STREAMS = (1, 1)


class Options(RecurrentAttentionOptions):
    """RNN-MHSA over one stream."""

    network: Literal["rnn-mhsa"] = Field("rnn-mhsa", description="the kind of system")


def build(options: Options, genotype: AnyGenotype | None, shape: NetworkShape) -> nn.Module:
    """GRU, attention, classifier."""
    from emonas.networks.attentive import VectorClassifier

    body = recurrent_attention(options, one_stream(options, shape.widths))
    return VectorClassifier(
        body, options.heads * options.head_width, shape.classes, options.output_dropout
    )
