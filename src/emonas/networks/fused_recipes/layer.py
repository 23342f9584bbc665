"""One layer of a recipe's cell as one function with a gradient of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from emonas.networks.fused_cells.threads import for_images
from emonas.networks.fused_recipes import kernels
from emonas.networks.fused_recipes.layout import (
    Sizes,
    pack_matrices,
    place_slopes,
    place_values,
    write_code,
)
from emonas.networks.fused_recipes.program import Program

_ROWS, _MOST_PARTS = 8, 16
"""Utterances that walk together, and how many such parts have gradients of weights of their own."""


def run_recipe(
    program: Program, frames: Tensor, direct: Tensor | None, biases: Tensor, *weights: Tensor
) -> Tensor:
    """(batch, time, width) to h_new_0 of every step, (batch, time, hidden); see `RecipeLayer`.

    Args:
        program: of the recipe.
        frames: what linear nodes read as `x`.
        direct: what other nodes read as `x`, (batch, time, hidden), if any do.
        biases: (linear nodes, hidden).
        weights: a stack of matrices a source, in the order of `RecipeLayer.sources`.
    """
    found: Tensor = _Recipe.apply(  # type: ignore[no-untyped-call]
        program, frames, direct, biases, *weights
    )
    return found


class _Recipe(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        program: Program,
        frames: Tensor,
        direct: Tensor | None,
        biases: Tensor,
        *weights: Tensor,
    ) -> Tensor:
        frames = frames.contiguous()
        sizes = Sizes.of(frames, biases)
        places = place_values(program, sizes)
        values = frames.new_empty(places.elements)
        if direct is not None and program.direct is not None:
            _of(values, places.table[program.direct], sizes).copy_(direct)
        code = write_code(program)
        packed, products = pack_matrices(
            program, weights, sizes, frames.numpy().dtype, transposed=True
        )
        arrays = frames.numpy(), values.numpy()
        given = packed, biases.numpy(), products, code.nodes, code.states[0], code.operations
        _for_parts(lambda part: kernels.walk(part, *arrays, places.table, *given), sizes.batch)
        ctx.program, ctx.places = program, places
        ctx.save_for_backward(frames, values, biases, *weights)
        return _of(values, places.table[program.new[0]], sizes).contiguous()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        program: Program = ctx.program
        frames, values, biases, *weights = ctx.saved_tensors
        sizes = Sizes.of(frames, biases)
        places = place_slopes(program, sizes)
        slopes = frames.new_empty(places.elements).numpy()
        packed, products = pack_matrices(program, weights, sizes, slopes.dtype, transposed=False)
        code = write_code(program)
        direct = -1 if program.direct is None else program.direct
        to_frames = (
            torch.zeros_like(frames) if ctx.needs_input_grad[1] else frames.new_empty(0, 0, 0)
        )
        to_direct = gradient.new_empty(gradient.shape if direct >= 0 else (0, 0, 0))
        size = sum(weight.numel() for weight in weights)
        arrays = frames.numpy(), values.numpy(), ctx.places.table, gradient.contiguous().numpy()
        asked = to_frames.numpy(), to_direct.numpy()
        given = packed, products, code.nodes, code.states, direct, code.operations
        found: dict[tuple[int, int], tuple[Any, Any]] = {}

        def work(part: tuple[int, int]) -> None:
            own = np.zeros(size, slopes.dtype), np.zeros(biases.shape, slopes.dtype)
            kernels.walk_back(part, *arrays, slopes, places.table, *given, *asked, *own)
            found[part] = own

        _for_parts(work, sizes.batch)
        to_weights, to_biases = (
            torch.from_numpy(sum(each[1:], start=each[0]))
            for each in zip(*(found[part] for part in sorted(found)), strict=True)
        )
        stacks = torch.split(to_weights, [weight.numel() for weight in weights])
        return (
            None,
            to_frames if ctx.needs_input_grad[1] else None,
            to_direct if direct >= 0 else None,
            to_biases,
            *(stack.view_as(weight) for stack, weight in zip(stacks, weights, strict=True)),
        )


def _for_parts(work: Callable[[tuple[int, int]], None], batch: int) -> None:
    """Share parts of the batch among threads; they are the same for any number of threads, so that
    the gradients of weights, a sum over parts, are too.
    """
    rows = _ROWS * -(-batch // (_ROWS * _MOST_PARTS))
    parts = [(first, min(first + rows, batch)) for first in range(0, batch, rows)]

    def work_on(numbers: range) -> None:
        for number in numbers:
            work(parts[number])

    for_images(work_on, len(parts))


def _of(values: Tensor, place: Any, sizes: Sizes) -> Tensor:
    """A value that is kept, of every step, (batch, time, hidden)."""
    shape = sizes.batch, sizes.time, sizes.hidden
    return values.as_strided(shape, (sizes.hidden, int(place[1]), 1), int(place[0]))
