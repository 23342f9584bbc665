"""`network: cells`: the convolutional cells that a search found (EmotionNAS, 2.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from emonas.storage.genotype import AnyGenotype, CellsGenotype
from emonas.systems.image_training import ImageTraining
from emonas.systems.options import TrainedOptions
from emonas.systems.requirements import genotype_of, one_stream
from emonas.systems.shapes import NetworkShape

if TYPE_CHECKING:
    from torch import nn

STREAMS = (1, 1)


class Options(TrainedOptions):
    """Convolutional cells over a feature of fixed length, seen as an image of time by features."""

    network: Literal["cells"] = Field("cells", description="the kind of system")
    dropout: float = Field(0.0, ge=0, lt=1, description="dropout before the classifier (ours)")
    training: ImageTraining = Field(default_factory=ImageTraining, description="how it is trained")


def build(options: Options, genotype: AnyGenotype | None, shape: NetworkShape) -> nn.Module:
    """The network of the kept operations only."""
    from emonas.networks.derived_cells import DerivedNetwork

    one_stream(options, shape.widths)
    return DerivedNetwork(
        genotype_of(CellsGenotype, options, genotype), shape.classes, options.dropout
    )


def build_searched(options: Options, genotype: AnyGenotype, shape: NetworkShape) -> nn.Module:
    """The search network: all operations, mixed."""
    from emonas.networks.search_cells import SearchNetwork

    one_stream(options, shape.widths)
    found = genotype_of(CellsGenotype, options, genotype)
    return SearchNetwork(found.channels, found.cells, shape.classes, nodes=found.nodes)
