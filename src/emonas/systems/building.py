"""From options and genotype to a network, through the module of its kind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from emonas.kinds import kind_module
from emonas.storage.genotype import AnyGenotype
from emonas.systems.options import SystemOptions
from emonas.systems.shapes import NetworkShape

if TYPE_CHECKING:
    from torch import nn


def build_network(
    options: SystemOptions, genotype: AnyGenotype | None, shape: NetworkShape
) -> nn.Module:
    """The network that is trained.

    Raises:
        EmonasError: the genotype is of another kind, or the inputs do not fit.
    """
    network: nn.Module = kind_module("network", options.network).build(options, genotype, shape)
    return network


def build_searched(options: SystemOptions, genotype: AnyGenotype, shape: NetworkShape) -> nn.Module:
    """The network that the search trained, whose weights it kept."""
    module = kind_module("network", options.network)
    network: nn.Module = module.build_searched(options, genotype, shape)
    return network


def count_parameters(network: nn.Module) -> int:
    """Trainable weights, architecture parameters (`alphas`, `log_kappa`) apart."""
    return sum(
        parameter.numel()
        for name, parameter in network.named_parameters()
        if not _is_architecture(name) and parameter.requires_grad
    )


def _is_architecture(name: str) -> bool:
    return "alphas" in name or name.endswith("log_kappa")
