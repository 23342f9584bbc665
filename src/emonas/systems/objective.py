"""What a system is trained to make small, through the module of its kind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from emonas.kinds import kind_module
from emonas.learning.objectives import CrossEntropy, Objective
from emonas.learning.supervised import class_weights
from emonas.systems.data import FoldData
from emonas.systems.options import TrainedOptions

if TYPE_CHECKING:
    from torch import nn


def make_objective(options: TrainedOptions, data: FoldData, network: nn.Module) -> Objective:
    """The kind's own objective; cross entropy where it has none."""
    module = kind_module("network", options.network)
    if hasattr(module, "objective"):
        own: Objective = module.objective(options, data, network)
        return own
    training = options.training
    weights = class_weights(data.train.labels, len(data.classes))
    return CrossEntropy(training, weights if training.class_weights else None)
