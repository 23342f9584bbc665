"""Matrix products from tiles: `ROWS` rows of one matrix times a panel of the other.

A panel is as many columns as fill some registers, side by side for each row. LLVM's own vectoriser
does not keep the sums of a tile in registers, so that a tile is written in its language.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import llvmlite.binding
import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from emonas.networks.fused_recipes.compiling import compiled, kept

_FEATURES = llvmlite.binding.get_host_cpu_features()
_REGISTER = 64 if _FEATURES.get("avx512f") else 32 if _FEATURES.get("avx2") else 16
"""Bytes of a vector register."""
_COLUMNS = 2
"""Registers across a tile."""
ROWS = 4 if _REGISTER == 32 else 8
"""Rows of a tile: AVX2 has half as many registers as the others."""


def panel_width(itemsize: int) -> int:
    """Columns of a panel, of numbers of so many bytes."""
    return _COLUMNS * _REGISTER // itemsize


def _write_tile(
    _: Any,
    a: Any,
    start: Any,
    row: Any,
    step: Any,
    rows: Any,
    b: Any,
    panel: Any,
    depth: Any,
    c: Any,
    to: Any,
    beyond: Any,
) -> Any:
    """Add a (rows, depth) matrix times a (depth, width) panel to (ROWS, width) of `c`.

    The matrix stands in `a` from `start` on, `row` apart from row to row and `step` from column to
    column; rows behind the last are those of the last. The panel stands in `b` from `panel` on,
    the result in `c` from `to` on, `beyond` apart from row to row.
    """
    number = a.dtype

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        lanes = 8 * _REGISTER // number.bitwidth
        vector = ir.VectorType(context.get_value_type(number), lanes)
        integer, align = arguments[1].type, number.bitwidth // 8
        same = ir.Constant(ir.VectorType(ir.IntType(32), lanes), [0] * lanes)
        empty, zeros = ir.Constant(vector, ir.Undefined), ir.Constant(vector, None)

        def pointer(place: int, offset: Any) -> Any:
            made = context.make_array(signature.args[place])
            return builder.gep(made(context, builder, arguments[place]).data, [offset])

        def at(address: Any, register: int) -> Any:
            moved = builder.gep(address, [ir.Constant(integer, register * lanes)])
            return builder.bitcast(moved, vector.as_pointer())

        first, last = pointer(0, arguments[1]), builder.sub(arguments[4], ir.Constant(integer, 1))
        heads = []
        for r in range(ROWS):
            here = ir.Constant(integer, r)
            here = builder.select(builder.icmp_signed("<", here, last), here, last)
            heads.append(builder.gep(first, [builder.mul(here, arguments[2])]))
        room: Any = cgutils.alloca_once_value
        sums = [[room(builder, zeros) for _ in range(_COLUMNS)] for _ in range(ROWS)]
        with cgutils.for_range(builder, arguments[7]) as loop:
            line = builder.mul(loop.index, ir.Constant(integer, _COLUMNS * lanes))
            line_at = pointer(5, builder.add(arguments[6], line))
            factors = [builder.load(at(line_at, place), align=align) for place in range(_COLUMNS)]
            column = builder.mul(loop.index, arguments[3])
            for head, totals in zip(heads, sums, strict=True):
                one = builder.load(builder.gep(head, [column]))
                each = builder.insert_element(empty, one, ir.Constant(ir.IntType(32), 0))
                each = builder.shuffle_vector(each, empty, same)
                for total, factor in zip(totals, factors, strict=True):
                    term = builder.fmul(each, factor, flags=("contract",))
                    added = builder.fadd(builder.load(total), term, flags=("contract",))
                    builder.store(added, total)
        for r, totals in enumerate(sums):
            moved = builder.mul(ir.Constant(integer, r), arguments[10])
            line_at = pointer(8, builder.add(arguments[9], moved))
            for place, total in enumerate(totals):
                before = builder.load(at(line_at, place), align=align)
                builder.store(
                    builder.fadd(before, builder.load(total)), at(line_at, place), align=align
                )
        return context.get_dummy_value()

    size = types.intp
    return types.void(a, size, size, size, size, b, size, size, c, size, size), generate


_tile: Callable[..., None] = intrinsic(_write_tile)


@compiled
def make_room(like: Any) -> Any:
    """Room for one tile."""
    return np.empty(ROWS * _COLUMNS * _REGISTER // like.itemsize, like.dtype)


@compiled
def multiply(
    a: Any, a_at: Any, b: Any, panel: int, c: Any, c_at: Any, shape: Any, many: Any, room: Any
) -> int:
    """Add (rows, depth) times panels to (rows, columns) for some steps; return the next panel.

    `a_at` and `c_at` are the first element, elements from step to step and from row to row; `shape`
    is (depth, columns) and `many` is (steps, rows). `room` is one for a tile.
    """
    depth, columns = shape
    steps, rows = many
    width = len(room) // ROWS
    for column in range(0, columns, width):
        for step in range(steps):
            for row in range(0, rows, ROWS):
                start = a_at[0] + step * a_at[1] + row * a_at[2]
                to = c_at[0] + step * c_at[1] + row * c_at[2] + column
                size = (min(ROWS, rows - row), min(width, columns - column))
                add_tile(a, (start, a_at[2], 1), b, panel, depth, c, (to, c_at[2]), size, room)
        panel += depth * width
    return panel


@compiled
def add_tile(
    a: Any, a_at: Any, b: Any, panel: int, depth: int, c: Any, c_at: Any, size: Any, room: Any
) -> None:
    """Add the first (rows, columns) of a tile.

    `a_at` is the first element and what is between rows and between columns, `c_at` the first
    element and what is between rows.
    """
    rows, columns = size
    width = len(room) // ROWS
    if rows == ROWS and columns == width:
        _tile(a, a_at[0], a_at[1], a_at[2], rows, b, panel, depth, c, c_at[0], c_at[1])
        return
    room[:] = 0
    _tile(a, a_at[0], a_at[1], a_at[2], rows, b, panel, depth, room, 0, width)
    for row in range(rows):
        to = c_at[0] + row * c_at[1]
        for q in range(columns):
            c[to + q] += room[row * width + q]


@compiled
def gather(source: Any, at: Any, count: int, many: Any, panel: Any, across: int) -> None:
    """Put `count` numbers of each row of some steps side by side, `across` apart."""
    steps, rows = many
    to = 0
    for step in range(steps):
        start = at[0] + step * at[1]
        for _ in range(rows):
            for q in range(count):
                panel[to + q] = source[start + q]
            to += across
            start += at[2]


def _pack(matrix: Any, transposed: bool, width: int, packed: Any, start: int) -> None:
    """Put a matrix (rows, columns), or its transpose, into panels of so many columns each.

    Panels stand one after the other from `start` on, (rows, width); zeros fill the last.
    """
    rows, columns = matrix.shape
    if transposed:
        for first in range(0, rows, width):
            for j in range(width):
                for k in range(columns):
                    packed[start + k * width + j] = matrix[first + j, k] if first + j < rows else 0
            start += columns * width
    else:
        for first in range(0, columns, width):
            count = min(width, columns - first)
            for k in range(rows):
                for j in range(count):
                    packed[start + j] = matrix[k, first + j]
                for j in range(count, width):
                    packed[start + j] = 0
                start += width


pack = kept(_pack)
