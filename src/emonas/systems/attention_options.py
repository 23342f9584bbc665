"""Options that the systems of CTA-RNN share, and the parts that are built from them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from emonas.learning.options import Schedule, Selection, TrainingOptions
from emonas.systems.options import TrainedOptions

if TYPE_CHECKING:
    from emonas.networks.attentive import RecurrentAttention


class AttentionTraining(TrainingOptions):
    """How the systems of CTA-RNN are trained (4.2.1)."""

    batch: int = Field(32, ge=1, description="utterances a batch")
    schedule: Schedule = Field(
        "plateau", description="how the learning rate goes on, epoch by epoch"
    )
    select: Selection = Field(
        "validation_loss",
        description="which epoch is kept: the best by this figure, or the last (our reading)",
    )


class AttentionOptions(TrainedOptions):
    """What every system with attention of several heads has (CTA-RNN, 4.2.1)."""

    heads: int = Field(8, ge=1, description="heads of the attention")
    head_width: int = Field(64, ge=1, description="width of a head")
    input_dropout: float = Field(
        0.0,
        ge=0,
        lt=1,
        description="share of the input's features that are dropped, the same at every frame of "
        "an utterance (ours)",
    )
    output_dropout: float = Field(
        0.0, ge=0, lt=1, description="dropout before the classifier (ours)"
    )
    training: AttentionTraining = Field(
        default_factory=AttentionTraining, description="how it is trained"
    )


class RecurrentAttentionOptions(AttentionOptions):
    """What those have besides that begin with GRUs (CTA-RNN, 4.2.1)."""

    hidden: int = Field(256, ge=1, description="width of a hidden state, in each direction")
    layers: int = Field(2, ge=1, description="stacked layers")
    dropout: float = Field(
        0.3,
        ge=0,
        lt=1,
        description="dropout on the output of every layer, the last one's too (our reading)",
    )


def recurrent_attention(options: RecurrentAttentionOptions, width: int) -> RecurrentAttention:
    """An RNN-MHSA over frames of a width."""
    from emonas.networks.attention import SelfAttention
    from emonas.networks.attentive import RecurrentAttention
    from emonas.networks.bidirectional import BidirectionalLayers

    return RecurrentAttention(
        BidirectionalLayers("gru", width, options.hidden, options.layers, options.dropout),
        SelfAttention(2 * options.hidden, options.heads, options.head_width),
        options.input_dropout,
    )
