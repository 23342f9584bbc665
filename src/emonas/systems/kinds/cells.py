"""`network: cells`: the convolutional cells that a search found (EmotionNAS, 2.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from emonas.learning.options import TrainingOptions
from emonas.storage.genotype import CellsGenotype
from emonas.systems.building import AnyGenotype
from emonas.systems.options import SystemOptions
from emonas.systems.requirements import genotype_of, one_stream

if TYPE_CHECKING:
    from torch import nn


class CellsTraining(TrainingOptions):
    """Retraining of the cells found; the paper gives these rates for the search."""

    optimiser: Literal["adam", "adamw", "sgd"] = Field("sgd", description="which optimiser")
    learning_rate: float = Field(0.025, gt=0, description="learning rate at the start")
    weight_decay: float = Field(3e-4, ge=0, description="weight decay")
    schedule: Literal["constant", "cosine"] = Field(
        "cosine", description="how the learning rate goes on (DARTS' code)"
    )
    final_learning_rate: float = Field(1e-3, ge=0, description="where cosine ends (DARTS' code)")
    clip: float | None = Field(5.0, gt=0, description="largest norm of the gradient (DARTS' code)")
    batch: int = Field(64, ge=1, description="utterances a batch (DARTS' code)")


class Options(SystemOptions):
    """Convolutional cells over a feature of fixed length, seen as an image of time by features."""

    network: Literal["cells"] = Field("cells", description="the kind of system")
    dropout: float = Field(0.0, ge=0, lt=1, description="dropout before the classifier (ours)")
    training: CellsTraining = Field(default_factory=CellsTraining, description="how it is trained")


def build(
    options: Options, genotype: AnyGenotype | None, widths: tuple[int, ...], classes: int
) -> nn.Module:
    """The network of the kept operations only."""
    from emonas.networks.derived_cells import DerivedNetwork

    one_stream(options, widths)
    return DerivedNetwork(genotype_of(CellsGenotype, options, genotype), classes, options.dropout)


def build_searched(
    options: Options, genotype: AnyGenotype, widths: tuple[int, ...], classes: int
) -> nn.Module:
    """The search network: all operations, mixed."""
    from emonas.networks.search_cells import SearchNetwork

    one_stream(options, widths)
    found = genotype_of(CellsGenotype, options, genotype)
    return SearchNetwork(found.channels, found.cells, classes, nodes=found.nodes)
