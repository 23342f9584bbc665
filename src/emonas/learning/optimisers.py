"""Optimisers and how their learning rate goes on."""

import math
from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import nn

from emonas.learning.options import TrainingOptions

Rates = Mapping[nn.Parameter, float]
"""Parameters whose learning rate is another than the others', as a multiple of theirs."""


def make_optimiser(
    parameters: Iterable[nn.Parameter], options: TrainingOptions, rates: Rates | None = None
) -> torch.optim.Optimizer:
    """The optimiser that the options name; `rates` has parameters whose rate is so many times
    that of all others.
    """
    rate, decay = options.learning_rate, options.weight_decay
    groups = _groups(parameters, rate, rates or {})
    if options.optimiser == "sgd":
        return torch.optim.SGD(groups, lr=rate, momentum=options.momentum, weight_decay=decay)
    kind = torch.optim.Adam if options.optimiser == "adam" else torch.optim.AdamW
    return kind(groups, lr=rate, weight_decay=decay)


def _groups(parameters: Iterable[nn.Parameter], rate: float, rates: Rates) -> list[dict[str, Any]]:
    """A group for those of the common rate, and one for each other rate."""
    groups: dict[float, list[nn.Parameter]] = {1.0: []}
    for parameter in parameters:
        groups.setdefault(rates.get(parameter, 1.0), []).append(parameter)
    return [
        {"params": members, "lr": rate * times, "times": times}
        for times, members in groups.items()
        if members
    ]


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
    """Give every group of parameters its multiple of a rate."""
    for group in optimiser.param_groups:
        group["lr"] = rate * group["times"]


def common_rate(optimiser: torch.optim.Optimizer) -> float:
    """The rate of the parameters that have no multiple of it."""
    first = optimiser.param_groups[0]
    rate: float = first["lr"] / first["times"]
    return rate
