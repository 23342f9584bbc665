"""`network: rnn-elm`: an LSTM classifies frames, an extreme learning machine the utterance by their
statistics (Lee and Tashev, 2015).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from emonas.storage.genotype import AnyGenotype
from emonas.systems.frame_options import FrameOptions, frame_classifier
from emonas.systems.shapes import NetworkShape

if TYPE_CHECKING:
    from torch import nn

    from emonas.learning.batches import Examples
    from emonas.learning.objectives import Objective
    from emonas.networks.extreme_learning import RnnElm
    from emonas.systems.data import FoldData

EQUAL_LENGTHS = True


class Options(FrameOptions):
    """RNN-ELM: each frame learns its utterance's label, and the epoch is chosen by the mean
    probability of the frames; then the machine is solved on the training part.
    """

    network: Literal["rnn-elm"] = Field("rnn-elm", description="the kind of system")
    threshold: float = Field(
        0.2,
        gt=0,
        lt=1,
        description="a class is counted in the frames in which its probability is above this",
    )
    machine: int = Field(
        120, ge=1, description="hidden units of the extreme learning machine (our reading)"
    )
    ridge: float = Field(
        1e-3,
        ge=0,
        description="penalty on the machine's squared weights; 0 is the pseudoinverse (ours)",
    )


def build(options: Options, genotype: AnyGenotype | None, shape: NetworkShape) -> RnnElm:
    """An LSTM over frames, and the machine, which `finish` solves."""
    from emonas.networks.extreme_learning import RnnElm

    frames = frame_classifier(options, shape, shape.classes)
    return RnnElm(frames, shape.classes, options.machine, options.threshold)


def objective(options: Options, data: FoldData, network: nn.Module) -> Objective:
    """Cross entropy of every frame."""
    from emonas.systems.frame_objectives import FrameCrossEntropy
    from emonas.systems.objective import balancing

    return FrameCrossEntropy(options.training, balancing(options, data))


def finish(network: RnnElm, options: Options, train: Examples) -> None:
    """Solve the machine on the training part, whose frames are classified batch by batch."""
    import torch

    from emonas.learning.supervised import apply_network, class_weights

    device = next(network.parameters()).device
    output = apply_network(network, train, options.together, device)
    labels, weights = torch.from_numpy(train.labels), None
    if options.training.class_weights:
        weights = class_weights(train.labels, output.logits.shape[1])[labels]
    network.solve(output.embedding, labels, options.ridge, weights)
