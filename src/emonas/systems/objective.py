"""What a system is trained to make small, and at which rates, through the module of its kind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from emonas.kinds import kind_module
from emonas.learning.objectives import CrossEntropy, Objective
from emonas.learning.optimisers import Rates
from emonas.learning.supervised import class_weights
from emonas.systems.data import FoldData
from emonas.systems.options import TrainedOptions
from emonas.systems.shapes import NetworkShape

if TYPE_CHECKING:
    from torch import Tensor, nn


def make_objective(options: TrainedOptions, data: FoldData, network: nn.Module) -> Objective:
    """The kind's own objective; cross entropy where it has none."""
    module = kind_module("network", options.network)
    if hasattr(module, "objective"):
        own: Objective = module.objective(options, data, network)
        return own
    return CrossEntropy(options.training, balancing(options, data))


def balancing(options: TrainedOptions, data: FoldData) -> Tensor | None:
    """A weight a class, (classes), where the options ask for it."""
    if not options.training.class_weights:
        return None
    return class_weights(data.train.labels, len(data.classes))


def learning_rates(options: TrainedOptions, shape: NetworkShape, network: nn.Module) -> Rates:
    """The weights that learn at another rate than the others, where the kind has such."""
    module = kind_module("network", options.network)
    own: Rates = module.rates(options, shape, network) if hasattr(module, "rates") else {}
    return own
