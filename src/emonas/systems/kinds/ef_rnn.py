"""`network: ef-rnn`: all blocks side by side in each frame, then RNN-MHSA (CTA-RNN, 4.2.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from emonas.storage.genotype import AnyGenotype
from emonas.systems.attention_options import RecurrentAttentionOptions, recurrent_attention
from emonas.systems.shapes import NetworkShape

if TYPE_CHECKING:
    from torch import nn

EQUAL_LENGTHS = True


class Options(RecurrentAttentionOptions):
    """Early fusion; the streams have equal lengths."""

    network: Literal["ef-rnn"] = Field("ef-rnn", description="the kind of system")


def build(options: Options, genotype: AnyGenotype | None, shape: NetworkShape) -> nn.Module:
    """Blocks side by side, GRU, attention, classifier."""
    from emonas.networks.attentive import VectorClassifier

    body = recurrent_attention(options, sum(shape.widths))
    return VectorClassifier(
        body, options.heads * options.head_width, shape.classes, options.output_dropout
    )
