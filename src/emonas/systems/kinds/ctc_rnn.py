"""`network: ctc-rnn`: an LSTM that finds where an utterance has its emotion (Han et al., 2018)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field, model_validator

from emonas.learning.options import TrainingOptions
from emonas.storage.genotype import AnyGenotype
from emonas.systems.frame_options import FrameOptions, frame_classifier
from emonas.systems.shapes import NetworkShape

if TYPE_CHECKING:
    from torch import nn

    from emonas.learning.objectives import Objective
    from emonas.systems.data import FoldData

EQUAL_LENGTHS = True


class SequenceTraining(TrainingOptions):
    """Training begins with the blank alone, and at 0.001 leaves it late."""

    learning_rate: float = Field(
        5e-3,
        gt=0,
        le=1000,
        description="learning rate at the start (ours: at 0.001 it learns late)",
    )


class Options(FrameOptions):
    """CTC-RNN: each frame has the utterance's emotion or none, and CTC aligns them."""

    network: Literal["ctc-rnn"] = Field("ctc-rnn", description="the kind of system")
    labels: int = Field(
        1,
        ge=1,
        description="how often an utterance's emotion stands in the sequence that is learnt, with "
        "frames of no emotion between; a short utterance has as many as fit (our reading)",
    )

    training: SequenceTraining = Field(
        default_factory=SequenceTraining, description="how it is trained"
    )

    @model_validator(mode="after")
    def _learns_one_sequence(self) -> Options:
        if self.training.label_smoothing:
            raise ValueError(
                "training.label_smoothing is for cross entropy, and ctc-rnn learns a sequence; "
                "set it to 0"
            )
        return self


def build(options: Options, genotype: AnyGenotype | None, shape: NetworkShape) -> nn.Module:
    """An LSTM over frames, and the likelihood of each class's sequence."""
    from emonas.networks.ctc import CtcRnn

    return CtcRnn(frame_classifier(options, shape, shape.classes + 1), options.labels)


def objective(options: Options, data: FoldData, network: nn.Module) -> Objective:
    """The likelihood of the utterances' own sequences."""
    from emonas.systems.frame_objectives import SequenceLikelihood
    from emonas.systems.objective import balancing

    return SequenceLikelihood(balancing(options, data))
