"""`network: resnet`: the residual networks that EmotionNAS compares with (v2, table 2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from emonas.storage.genotype import AnyGenotype
from emonas.systems.image_training import ImageTraining
from emonas.systems.options import TrainedOptions
from emonas.systems.requirements import one_stream
from emonas.systems.shapes import NetworkShape

if TYPE_CHECKING:
    from torch import nn

STREAMS = (1, 1)


class Options(TrainedOptions):
    """ResNet18, or the smaller one of the paper's fair comparison."""

    network: Literal["resnet"] = Field("resnet", description="the kind of system")
    blocks: tuple[int, ...] = Field(
        (2, 2, 2, 2),
        min_length=1,
        max_length=4,
        description="residual blocks of 64, 128, 256 and 512 channels: 2, 2, 2, 2 is ResNet18; "
        "1, 1, 1 has the 1.23M weights of the paper's ResNet* (our reading)",
    )
    training: ImageTraining = Field(
        default_factory=ImageTraining,
        description="how it is trained: as the searched cells (ours)",
    )


def build(options: Options, genotype: AnyGenotype | None, shape: NetworkShape) -> nn.Module:
    """A residual network."""
    from emonas.networks.resnet import ResNet

    one_stream(options, shape.widths)
    return ResNet(options.blocks, shape.classes)
