"""How the validation loss changes with the alphas (EmotionNAS v1, eq. 3; DARTS, eq. 5 to 8)."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

Loss = Callable[[], Tensor]
"""Computes a loss on one batch at the network's present parameters."""

Gradient = tuple[Tensor, ...]

_RADIUS = 0.01
"""How far the finite difference steps, as the norm of the step (DARTS, footnote 2)."""


@dataclass(frozen=True)
class VirtualStep:
    """One step of SGD on the weights: `velocities` are the optimiser's, zeros at its start."""

    rate: float
    momentum: float
    weight_decay: float
    velocities: Sequence[Tensor]


def first_order(
    weights: Sequence[nn.Parameter], alphas: Sequence[nn.Parameter], held: Loss
) -> Gradient:
    """The alphas' gradient at the present weights, as if these did not depend on the alphas."""
    with _constant(weights):
        return torch.autograd.grad(held(), list(alphas), materialize_grads=True)


@contextmanager
def _constant(weights: Sequence[nn.Parameter]) -> Iterator[None]:
    """Nobody asks for the gradient of the weights, and so it is not computed."""
    for weight in weights:
        weight.requires_grad_(False)
    try:
        yield
    finally:
        for weight in weights:
            weight.requires_grad_()


def second_order(
    weights: Sequence[nn.Parameter],
    alphas: Sequence[nn.Parameter],
    train: Loss,
    held: Loss,
    step: VirtualStep,
    radius: float = _RADIUS,
) -> Gradient:
    """The gradient through one virtual step of the weights on the training loss, whose second
    derivatives are a finite difference (DARTS, eq. 7, 8). The weights are left as they were.

    Args:
        weights: parameters that learn on the training loss.
        alphas: parameters that learn on the validation loss.
        train: training loss.
        held: validation loss.
        step: the virtual step.
        radius: norm of the step of the finite difference.
    """
    before = [weight.detach().clone() for weight in weights]
    try:
        _step(weights, train, step)
        both = torch.autograd.grad(held(), [*alphas, *weights], materialize_grads=True)
        direct, slope = both[: len(alphas)], both[len(alphas) :]
        norm = torch.linalg.vector_norm(torch.stack([part.norm() for part in slope]))
        if not norm > 0:
            return direct
        epsilon = radius / norm
        _place(weights, before, slope, epsilon)
        above = first_order(weights, alphas, train)
        _place(weights, before, slope, -epsilon)
        below = first_order(weights, alphas, train)
    finally:
        with torch.no_grad():
            for weight, value in zip(weights, before, strict=True):
                weight.copy_(value)
    return tuple(
        part - step.rate * (up - down) / (2 * epsilon)
        for part, up, down in zip(direct, above, below, strict=True)
    )


def _step(weights: Sequence[nn.Parameter], train: Loss, step: VirtualStep) -> None:
    slope = torch.autograd.grad(train(), list(weights), materialize_grads=True)
    with torch.no_grad():
        for weight, part, velocity in zip(weights, slope, step.velocities, strict=True):
            change = part + step.weight_decay * weight + step.momentum * velocity
            weight.sub_(step.rate * change)


def _place(
    weights: Sequence[nn.Parameter], before: Sequence[Tensor], slope: Gradient, epsilon: Tensor
) -> None:
    with torch.no_grad():
        for weight, value, part in zip(weights, before, slope, strict=True):
            weight.copy_(value + epsilon * part)
