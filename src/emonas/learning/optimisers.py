"""Optimisers and how their learning rate goes on."""

import math
from collections.abc import Iterable

import torch
from torch import nn

from emonas.learning.options import TrainingOptions


def make_optimiser(
    parameters: Iterable[nn.Parameter], options: TrainingOptions
) -> torch.optim.Optimizer:
    """The optimiser that the options name."""
    rate, decay = options.learning_rate, options.weight_decay
    if options.optimiser == "sgd":
        return torch.optim.SGD(parameters, lr=rate, momentum=options.momentum, weight_decay=decay)
    kind = torch.optim.Adam if options.optimiser == "adam" else torch.optim.AdamW
    return kind(parameters, lr=rate, weight_decay=decay)


def learning_rate(options: TrainingOptions, epoch: int) -> float:
    """The rate of an epoch, counted from 1, where the epoch alone decides; cosine begins at
    `learning_rate` and would reach `final_learning_rate` one epoch after the last.
    """
    if options.schedule == "constant":
        return options.learning_rate
    share = (1 + math.cos(math.pi * (epoch - 1) / options.epochs)) / 2
    return options.final_learning_rate + share * (
        options.learning_rate - options.final_learning_rate
    )


def halve_on_plateau(
    optimiser: torch.optim.Optimizer, options: TrainingOptions
) -> torch.optim.lr_scheduler.ReduceLROnPlateau:
    """Halves the rate after `plateau_epochs` epochs in a row without a lower loss."""
    # torch waits for one epoch more than its patience.
    return torch.optim.lr_scheduler.ReduceLROnPlateau(
        optimiser, factor=0.5, patience=options.plateau_epochs - 1, threshold=0.0, eps=0.0
    )


def set_learning_rate(optimiser: torch.optim.Optimizer, rate: float) -> None:
    """Give every group of parameters the same rate."""
    for group in optimiser.param_groups:
        group["lr"] = rate
