"""`network: time-delay`: convolutions over frames further and further apart (Peddinti et al. 2015).

Mean and deviation over the frames go into a linear classifier.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field, PositiveInt

from emonas.storage.genotype import AnyGenotype
from emonas.systems.options import TrainedOptions
from emonas.systems.shapes import NetworkShape

if TYPE_CHECKING:
    from torch import Tensor, nn


class Options(TrainedOptions):
    """A time-delay network; several inputs stand side by side in each frame."""

    network: Literal["time-delay"] = Field("time-delay", description="the kind of system")
    hidden: int = Field(64, ge=1, description="channels of every layer")
    dilations: tuple[PositiveInt, ...] = Field(
        (1, 2, 3), min_length=1, description="of each layer, how many frames its taps are apart"
    )


def build(options: Options, genotype: AnyGenotype | None, shape: NetworkShape) -> nn.Module:
    """Convolutions, pooling over frames, classifier."""
    # Here, because whoever checks settings imports this module and should not wait for torch.
    from torch import nn

    from emonas.networks.attentive import VectorClassifier
    from emonas.networks.pooling import StatisticsPooling
    from emonas.networks.streams import Stream, side_by_side

    class TimeDelay(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            widths = [sum(shape.widths), *[options.hidden] * len(options.dilations)]
            self.layers = nn.ModuleList(
                nn.Conv1d(width, options.hidden, 3, dilation=dilation, padding="same")
                for width, dilation in zip(widths, options.dilations, strict=False)
            )
            self.pooling = StatisticsPooling()

        def forward(self, *streams: Stream) -> Tensor:
            stream = side_by_side(streams)
            frames, mask = stream.frames.transpose(1, 2), stream.mask
            for layer in self.layers:
                # Else an utterance would hear the padding that its batch needs.
                frames = layer(frames * mask[:, None]).relu()
            pooled: Tensor = self.pooling(frames.transpose(1, 2), mask)
            return pooled

    return VectorClassifier(TimeDelay(), 2 * options.hidden, shape.classes)
