"""The gradient reversal layer (Ganin and Lempitsky 2015; Two-stage fine-tuning, eq. 2)."""

from typing import Any

import torch
from torch import Tensor


class _Reversal(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, values: Tensor, constant: float) -> Tensor:
        ctx.constant = constant
        return values.view_as(values)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return -ctx.constant * gradients[0], None


def reverse_gradient(values: Tensor, constant: float) -> Tensor:
    """The same values, whose gradient is multiplied by minus `constant` on its way back."""
    reversed_: Tensor = _Reversal.apply(values, constant)  # type: ignore[no-untyped-call]
    return reversed_
