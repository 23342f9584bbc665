"""`network: cnn-lstm`: convolutions and an LSTM over fixed spectrograms (Satt et al., 2017)."""

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
    """CNN-LSTM: the baseline on spectrograms of one length."""

    network: Literal["cnn-lstm"] = Field("cnn-lstm", description="the kind of system")


def build(options: Options, genotype: AnyGenotype | None, shape: NetworkShape) -> nn.Module:
    """Convolutions, a bidirectional LSTM, a classifier on its last states."""
    return convolutional_recurrent(options, "lstm", shape)
