"""Where the values of a program, their gradients and the matrices stand in memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from torch import Tensor

from emonas.networks.fused_recipes.program import OPERATIONS, Product, Program
from emonas.networks.fused_recipes.there import CHUNK
from emonas.networks.fused_recipes.tiles import ROWS, pack, panel_width

Integers = npt.NDArray[np.int64]


class Sizes(NamedTuple):
    """Of one call."""

    batch: int
    time: int
    width: int
    hidden: int

    @classmethod
    def of(cls, frames: Tensor, biases: Tensor) -> Sizes:
        """Of (batch, time, width) and (linear nodes, hidden)."""
        batch, time, width = frames.shape
        return cls(batch, time, width, biases.shape[1])


class Places(NamedTuple):
    """For each value its first element and how many elements further the next step's is, and how
    many elements there are in all.
    """

    table: Integers
    elements: int


def place_values(program: Program, sizes: Sizes) -> Places:
    """Of all steps, those that are kept; the others stand where those of the step before stood."""
    kept = [*range(program.linear), *program.kept]
    size = sizes.batch * sizes.hidden
    step = len(kept) * size
    table = np.zeros((program.values, 2), np.int64)
    # The states before the first step stand in front.
    for place, value in enumerate(kept):
        table[value] = step + place * size, step
    elements = (sizes.time + 1) * step
    for value, node in program.within.items():
        table[value] = table[node]
    for old, new in zip(program.old, program.new, strict=True):
        table[old] = table[new] - (step, 0)
    placed = {*kept, *program.within, *program.old}
    for value in range(program.values):
        if value not in placed:
            table[value] = elements, 0
            elements += size
    return Places(table, elements)


def place_slopes(program: Program, sizes: Sizes) -> Places:
    """Gradients of linear nodes are kept for some steps, others for one."""
    size = sizes.batch * sizes.hidden
    step = program.linear * size
    table = np.zeros((program.values, 2), np.int64)
    for node in range(program.linear):
        table[node] = node * size, step
    first = CHUNK * step
    for place, value in enumerate(range(program.linear, program.values)):
        table[value] = first + place * size, 0
    return Places(table, first + (program.values - program.linear) * size)


class Code(NamedTuple):
    """A program as the compiled loops read it."""

    nodes: Integers
    states: Integers
    operations: Integers


def write_code(program: Program) -> Code:
    """Operations filled up with zeros, and the nodes of all products in one list."""
    rows = [(*operation, *[0] * (5 - len(operation))) for operation in program.code]
    # The product of frames stands in front of the others.
    multiply = OPERATIONS["product"]
    rows = [(row[0], row[1] + (row[0] == multiply), *row[2:]) for row in rows]
    products = all_products(program)
    nodes = [node for product in products for node in product.nodes]
    return Code(
        np.array(nodes, np.int64),
        np.array([program.old, program.new], np.int64),
        np.array(rows, np.int64).reshape(-1, 5),
    )


def all_products(program: Program) -> tuple[Product, ...]:
    """That of frames first, without nodes where they give nothing to linear nodes."""
    return (program.frames or Product(0, -2, ()), *program.products)


def tiles_of(
    weights: Sequence[Tensor], sizes: Sizes, width: int
) -> list[tuple[int, int, int, int, int]]:
    """The shape of each stack's gradients in tiles: (panels, matrices, tiles, ROWS, width)."""
    tiles = -(-sizes.hidden // ROWS)
    return [
        (-(-weight.shape[1] // width), len(weight) // sizes.hidden, tiles, ROWS, width)
        for weight in weights
    ]


def untile(tiles: Tensor, shape: tuple[int, int, int, int, int], hidden: int, width: int) -> Tensor:
    """A stack's gradients as the stack is, (matrices * hidden, width)."""
    panels, matrices, number, rows, across = shape
    whole = tiles.view(shape).permute(1, 2, 3, 0, 4)
    whole = whole.reshape(matrices, number * rows, panels * across)
    return whole[:, :hidden, :width].reshape(matrices * hidden, width)


class Matrices(NamedTuple):
    """All matrices in panels, and (products, 5): source, first node, one behind the last, first
    panel, first element of the gradients.
    """

    packed: npt.NDArray[Any]
    products: Integers


def pack_matrices(
    program: Program,
    weights: Sequence[Tensor],
    sizes: Sizes,
    like: Tensor,
    *,
    transposed: bool,
) -> Matrices:
    """For the way there transposed, for the way back as they are."""
    numbers = like.numpy().dtype
    width = panel_width(numbers.itemsize)
    gradients = np.cumsum([0, *(np.prod(each) for each in tiles_of(weights, sizes, width))])
    rows, panels, first, node = [], [], 0, 0
    for product in all_products(program):
        source = -1 if product.source is None else product.source
        behind = node + len(product.nodes)
        matrix = gradients[product.weights] if product.nodes else 0
        rows.append((source, node, behind, first, matrix))
        node = behind
        if not product.nodes:
            continue
        weight = weights[product.weights].detach().numpy()
        columns, depth = sizes.hidden, weight.shape[1]
        if not transposed:
            columns, depth = depth, columns
        each = -(-columns // width) * width * depth
        panels.append((first, each, weight))
        first += each * len(product.nodes)
    packed = np.empty(first, numbers)
    for start, each, weight in panels:
        for place, matrix in enumerate(weight.reshape(-1, sizes.hidden, weight.shape[1])):
            pack(matrix, transposed, width, packed, start + place * each)
    return Matrices(packed, np.array(rows, np.int64))
