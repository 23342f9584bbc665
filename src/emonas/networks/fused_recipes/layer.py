"""One layer of a recipe's cell as one function with a gradient of its own."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from emonas.networks.fused_recipes.back import walk_back
from emonas.networks.fused_recipes.layout import (
    Sizes,
    pack_matrices,
    place_slopes,
    place_values,
    tiles_of,
    untile,
    write_code,
)
from emonas.networks.fused_recipes.program import Program
from emonas.networks.fused_recipes.there import walk
from emonas.networks.fused_recipes.tiles import panel_width
from emonas.networks.threads import for_shares

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
        sizes = Sizes.of(frames, biases)
        places = place_values(program, sizes)
        # numpy asks for large pages of memory.
        values = torch.from_numpy(np.empty(places.elements, _numbers(frames)))
        if direct is not None and program.direct is not None:
            _of(values, places.table[program.direct], sizes).copy_(direct)
        code = write_code(program)
        packed, products = pack_matrices(program, weights, sizes, values, transposed=True)
        read = _flat(frames)
        given = packed, biases.numpy(), products, code.nodes, code.states[0], code.operations
        arrays = values.numpy(), places.table
        at = (sizes.time, sizes.width, *read.strides)
        _for_parts(lambda part: walk(part, read.numbers, at, *arrays, *given), sizes.batch)
        ctx.program, ctx.places = program, places
        ctx.save_for_backward(frames, values, biases, *weights)
        return _of(values, places.table[program.new[0]], sizes)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        program: Program = ctx.program
        frames, values, biases, *weights = ctx.saved_tensors
        sizes = Sizes.of(frames, biases)
        places = place_slopes(program, sizes)
        packed, products = pack_matrices(program, weights, sizes, values, transposed=False)
        code = write_code(program)
        direct = -1 if program.direct is None else program.direct
        numbers = _numbers(frames)
        to_frames = np.zeros(frames.numel() if ctx.needs_input_grad[1] else 0, numbers)
        to_direct = np.empty(gradient.shape if direct >= 0 else (0, 0, 0), numbers)
        read, outputs = _flat(frames), _flat(gradient)
        given = (
            *(read.numbers, (sizes.time, sizes.width, *read.strides)),
            *(values.numpy(), ctx.places.table),
            *(outputs.numbers, outputs.strides),
            *(np.empty(places.elements, numbers), places.table),
            *(packed, products, code.nodes, code.states, direct, code.operations),
            *(to_frames, to_direct),
        )
        shapes = tiles_of(weights, sizes, panel_width(frames.itemsize))
        counts = [math.prod(shape) for shape in shapes]
        found: dict[tuple[int, int], tuple[Any, Any]] = {}

        def work(part: tuple[int, int]) -> None:
            own = np.zeros(sum(counts), numbers), np.zeros(biases.shape, numbers)
            walk_back(part, *given, *own)
            found[part] = own

        _for_parts(work, sizes.batch)
        to_weights, to_biases = (
            torch.from_numpy(sum(each[1:], start=each[0]))
            for each in zip(*(found[part] for part in sorted(found)), strict=True)
        )
        stacks = [
            untile(tiles, shape, sizes.hidden, weight.shape[1])
            for tiles, shape, weight in zip(
                torch.split(to_weights, counts), shapes, weights, strict=True
            )
        ]
        return (
            None,
            torch.from_numpy(to_frames).view_as(frames) if ctx.needs_input_grad[1] else None,
            torch.from_numpy(to_direct) if direct >= 0 else None,
            to_biases,
            *stacks,
        )


class _Flat(NamedTuple):
    """(batch, time, numbers) as it lies in memory, and elements from step to step and from
    utterance to utterance.
    """

    numbers: Any
    strides: tuple[int, int]


def _flat(tensor: Tensor) -> _Flat:
    if tensor.stride(2) != 1:
        tensor = tensor.contiguous()
    row, step, _ = tensor.stride()
    last = sum(
        (size - 1) * stride for size, stride in zip(tensor.shape, tensor.stride(), strict=True)
    )
    return _Flat(tensor.detach().as_strided((last + 1,), (1,)).numpy(), (step, row))


def _numbers(tensor: Tensor) -> npt.DTypeLike:
    return np.float64 if tensor.dtype == torch.float64 else np.float32


def _for_parts(work: Callable[[tuple[int, int]], None], batch: int) -> None:
    """Share parts of the batch among threads; they are the same for any number of threads, so that
    the gradients of weights, a sum over parts, are too.
    """
    rows = _ROWS * -(-batch // (_ROWS * _MOST_PARTS))
    parts = [(first, min(first + rows, batch)) for first in range(0, batch, rows)]

    def work_on(numbers: range) -> None:
        for number in numbers:
            work(parts[number])

    for_shares(work_on, len(parts))


def _of(values: Tensor, place: Any, sizes: Sizes) -> Tensor:
    """A value that is kept, of every step, (batch, time, hidden)."""
    shape = sizes.batch, sizes.time, sizes.hidden
    return values.as_strided(shape, (sizes.hidden, int(place[1]), 1), int(place[0]))
