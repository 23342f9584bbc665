"""`network: cnn-gru`: convolutions and a GRU over spectrograms of any length (Ma et al., 2018)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from emonas.storage.genotype import AnyGenotype
from emonas.systems.convolutional_options import ConvolutionalOptions, convolutional_recurrent
from emonas.systems.shapes import NetworkShape

if TYPE_CHECKING:
    from torch import nn

STREAMS = (1, 1)


class Options(ConvolutionalOptions):
    """CNN-GRU: the baseline on spectrograms of each utterance's own length."""

    network: Literal["cnn-gru"] = Field("cnn-gru", description="the kind of system")
    dense: int = Field(
        64, ge=1, description="width of the fully connected layer before the classifier (ours)"
    )


def build(options: Options, genotype: AnyGenotype | None, shape: NetworkShape) -> nn.Module:
    """Convolutions, a bidirectional GRU, a fully connected layer, a classifier."""
    return convolutional_recurrent(options, "gru", shape, options.dense)
