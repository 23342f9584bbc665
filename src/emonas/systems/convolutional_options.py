"""Options that the networks of convolutions and recurrent layers share, and how they are built."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from emonas.systems.options import TrainedOptions
from emonas.systems.requirements import one_stream
from emonas.systems.shapes import NetworkShape

if TYPE_CHECKING:
    from emonas.networks.convolutional_recurrent import ConvolutionalRecurrent


class ConvolutionalOptions(TrainedOptions):
    """Convolutions with batch normalisation, ReLU and max pooling, then recurrent layers.

    EmotionNAS v1 prints no sizes of these baselines, and their sources are not at hand: all are
    ours.
    """

    channels: tuple[Annotated[int, Field(ge=1)], ...] = Field(
        (16, 32, 64), min_length=1, description="channels of each convolution (ours)"
    )
    kernel: int = Field(5, ge=1, description="frames and features that a kernel spans (ours)")
    pool: int = Field(
        2,
        ge=1,
        description="after each convolution the largest of so many frames and features is kept "
        "(ours)",
    )
    hidden: int = Field(128, ge=1, description="width of a hidden state, in each direction (ours)")
    layers: int = Field(1, ge=1, description="stacked recurrent layers (ours)")
    dropout: float = Field(0.3, ge=0, lt=1, description="dropout before the classifier (ours)")


def convolutional_recurrent(
    options: ConvolutionalOptions,
    cell: Literal["lstm", "gru"],
    shape: NetworkShape,
    dense: int | None = None,
) -> ConvolutionalRecurrent:
    """The network of one stream.

    Raises:
        EmonasError: there are several.
    """
    from emonas.networks.convolutional_recurrent import ConvolutionalRecurrent, MaskedConvolutions

    return ConvolutionalRecurrent(
        one_stream(options, shape.widths),
        MaskedConvolutions(options.channels, options.kernel, options.pool),
        cell,
        options.hidden,
        options.layers,
        dense,
        shape.classes,
        options.dropout,
    )
