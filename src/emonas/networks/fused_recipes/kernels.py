"""Compiled loops over the steps of some utterances.

They are in one file because a compiled loop is kept on disk until its own file changes.

Values of a step are (values, batch, hidden) in one flat array, where `places` says for each value
at which element it stands at the first step, and how many elements further at the next. What
gradients of values stand in is the same, with places of its own.

Products are made of tiles: `ROWS` rows of one matrix times a panel of the other, `width` columns
that stand side by side for each row, and so fill some registers each. LLVM's own vectoriser does
not keep the sums of a tile in registers, so that a tile is written in its language.

Sigmoid and tanh of single precision are polynomials (Cephes' expf and tanhf, Moshier 1992), right
to about 1e-7, because compilers don't vectorise those of the mathematical library, which double
precision takes. They keep what is not a number.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import llvmlite.binding
import numpy as np
from llvmlite import ir
from numba import njit
from numba.core import cgutils, types
from numba.extending import intrinsic

_TANH, _SIGMOID, _LEAKY, _SUM, _PRODUCT, _BLEND, MULTIPLY = range(7)

_LEAK = 0.01
"""Slope of the leaky ReLU below zero (torch's)."""

_FEATURES = llvmlite.binding.get_host_cpu_features()
_REGISTER = 64 if _FEATURES.get("avx512f") else 32 if _FEATURES.get("avx2") else 16
"""Bytes of a vector register."""
_COLUMNS = 2
"""Registers across a tile."""
ROWS = 4 if _REGISTER == 32 else 8
"""Rows of a tile: AVX2 has half as many registers as the others."""

CHUNK = 16
"""Steps whose products with frames, and of weights' gradients, are made together."""

_SMALLEST, _LARGEST = np.float32(-87.0), np.float32(88.0)
_LOG2_E = np.float32(1.44269504088896341)
# The logarithm of 2 in two parts, of which the first has few digits.
_LN2_HIGH, _LN2_LOW = np.float32(0.693359375), np.float32(-2.12194440e-4)
_E0, _E1, _E2 = (
    np.float32(1.9875691500e-4),
    np.float32(1.3981999507e-3),
    np.float32(8.3334519073e-3),
)
_E3, _E4, _E5 = (
    np.float32(4.1665795894e-2),
    np.float32(1.6666665459e-1),
    np.float32(5.0000001201e-1),
)
_T0, _T1, _T2 = (
    np.float32(-5.70498872745e-3),
    np.float32(2.06390887954e-2),
    np.float32(-5.37397155531e-2),
)
_T3, _T4 = np.float32(1.33314422036e-1), np.float32(-3.33332819422e-1)
_NEAR = np.float32(0.625)
_HALF, _ONE, _TWO = np.float32(0.5), np.float32(1), np.float32(2)


def panel_width(itemsize: int) -> int:
    """Columns of a panel, of numbers of so many bytes."""
    return _COLUMNS * _REGISTER // itemsize


def compiled(loop: Callable[..., Any]) -> Callable[..., Any]:
    """Compile on first use, and keep the result on disk; sums stay as they are written."""
    made: Callable[..., Any] = njit(fastmath={"contract", "nsz"}, nogil=True, cache=True)(loop)
    return made


def _emitted(writer: Callable[..., Any]) -> Callable[..., Any]:
    """A function in LLVM's language."""
    made: Callable[..., Any] = intrinsic(writer)
    return made


@_emitted
def _tile(
    _: Any,
    a: Any,
    start: Any,
    row: Any,
    step: Any,
    rows: Any,
    b: Any,
    panel: Any,
    depth: Any,
    out: Any,
) -> Any:
    """Put a (rows, depth) matrix times a (depth, width) panel into `out` (ROWS, width).

    The matrix stands in `a` from `start` on, `row` apart from row to row and `step` from column to
    column; rows behind the last are those of the last. The panel stands in `b` from `panel` on.
    """
    number = a.dtype

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        lanes = 8 * _REGISTER // number.bitwidth
        vector = ir.VectorType(context.get_value_type(number), lanes)
        integer = arguments[1].type
        same = ir.Constant(ir.VectorType(ir.IntType(32), lanes), [0] * lanes)
        empty = ir.Constant(vector, ir.Undefined)

        def pointer(place: int) -> Any:
            made = context.make_array(signature.args[place])
            return made(context, builder, arguments[place]).data

        def at(address: Any, register: int) -> Any:
            moved = builder.gep(address, [ir.Constant(integer, register * lanes)])
            return builder.bitcast(moved, vector.as_pointer())

        first = builder.gep(pointer(0), [arguments[1]])
        last = builder.sub(arguments[4], ir.Constant(integer, 1))
        heads = []
        for r in range(ROWS):
            here = ir.Constant(integer, r)
            here = builder.select(builder.icmp_signed("<", here, last), here, last)
            heads.append(builder.gep(first, [builder.mul(here, arguments[2])]))
        panel_at = builder.gep(pointer(5), [arguments[6]])
        zeros = ir.Constant(vector, None)
        room: Any = cgutils.alloca_once_value
        sums = [room(builder, zeros) for _ in range(ROWS * _COLUMNS)]
        align = number.bitwidth // 8
        with cgutils.for_range(builder, arguments[7]) as loop:
            line = builder.mul(loop.index, ir.Constant(integer, _COLUMNS * lanes))
            line_at = builder.gep(panel_at, [line])
            factors = [builder.load(at(line_at, c), align=align) for c in range(_COLUMNS)]
            column = builder.mul(loop.index, arguments[3])
            for r in range(ROWS):
                one = builder.load(builder.gep(heads[r], [column]))
                each = builder.insert_element(empty, one, ir.Constant(ir.IntType(32), 0))
                each = builder.shuffle_vector(each, empty, same)
                for c in range(_COLUMNS):
                    place = sums[r * _COLUMNS + c]
                    term = builder.fmul(each, factors[c], flags=("contract",))
                    total = builder.fadd(builder.load(place), term, flags=("contract",))
                    builder.store(total, place)
        out_at = pointer(8)
        for place, total in enumerate(sums):
            builder.store(builder.load(total), at(out_at, place), align=align)
        return context.get_dummy_value()

    size = types.intp
    return types.void(a, size, size, size, size, b, size, size, out), generate


@compiled
def pack(matrix: Any, columns_first: bool, width: int, packed: Any, start: int) -> None:
    """Put a matrix (rows, columns), or its transpose, into panels of so many columns each.

    Panels stand one after the other from `start` on, (rows, width); zeros fill the last.
    """
    rows, columns = matrix.shape
    if columns_first:
        for first in range(0, rows, width):
            count = min(width, rows - first)
            for k in range(columns):
                for j in range(count):
                    packed[start + j] = matrix[first + j, k]
                for j in range(count, width):
                    packed[start + j] = 0
                start += width
    else:
        for first in range(0, columns, width):
            count = min(width, columns - first)
            for k in range(rows):
                for j in range(count):
                    packed[start + j] = matrix[k, first + j]
                for j in range(count, width):
                    packed[start + j] = 0
                start += width


@compiled
def _multiply(
    a: Any, a_at: Any, b: Any, panel: int, c: Any, c_at: Any, shape: Any, many: Any, tile: Any
) -> int:
    """Add (rows, depth) times panels to (rows, columns) for some steps; return the next panel.

    `a_at` and `c_at` are the first element, elements from step to step and from row to row; `shape`
    is (depth, columns) and `many` is (steps, rows). `tile` is room for one.
    """
    depth, columns = shape
    steps, rows = many
    width = len(tile) // ROWS
    for column in range(0, columns, width):
        count = min(width, columns - column)
        for step in range(steps):
            for row in range(0, rows, ROWS):
                there = min(ROWS, rows - row)
                start = a_at[0] + step * a_at[1] + row * a_at[2]
                _tile(a, start, a_at[2], 1, there, b, panel, depth, tile)
                to = c_at[0] + step * c_at[1] + row * c_at[2] + column
                _add_tile(tile, c, to, c_at[2], there, count)
        panel += depth * width
    return panel


@compiled
def _add_tile(tile: Any, c: Any, to: int, row: int, rows: int, columns: int) -> None:
    """Add the first rows and columns of a tile to a matrix from `to` on."""
    width = len(tile) // ROWS
    for r in range(rows):
        given, taken = tile[r * width : r * width + columns], c[to : to + columns]
        for q in range(columns):
            taken[q] += given[q]
        to += row


@compiled
def _make_tile(values: Any) -> Any:
    return np.empty(ROWS * _COLUMNS * _REGISTER // values.itemsize, values.dtype)


@compiled
def _at(places: Any, value: int, step: int, offset: int) -> int:
    """Where a value of a step begins."""
    found: int = places[value, 0] + step * places[value, 1] + offset
    return found


@compiled
def walk(
    part: Any,
    frames: Any,
    values: Any,
    places: Any,
    packed: Any,
    biases: Any,
    products: Any,
    nodes: Any,
    old: Any,
    code: Any,
) -> None:
    """Compute the values of all steps, for a part of the batch.

    Args:
        part: the first utterance, and the one behind the last.
        frames: (batch, time, width).
        values: of all steps, flat.
        places: (values, 2): first element of the first step, elements from step to step.
        packed: panels of all transposed matrices.
        biases: (linear nodes, hidden); the linear nodes are the first values.
        products: (products, 5), that of frames first: source, or -1 for frames, or -2 where there
            is none, where its nodes begin and end, where its panels begin, and its gradients.
        nodes: the linear nodes of all products.
        old: the states of the step before.
        code: operations in their order, (operations, 5).
    """
    time, hidden = frames.shape[1], biases.shape[1]
    rows, offset = part[1] - part[0], part[0] * hidden
    tile = _make_tile(values)
    for state in old:
        _clear(values, _at(places, state, 0, offset), rows * hidden)
    for begin in range(0, time, CHUNK):
        end = min(begin + CHUNK, time)
        for step in range(begin, end):
            for node in range(len(biases)):
                start = _at(places, node, step, offset)
                for row in range(rows):
                    values[start + row * hidden : start + (row + 1) * hidden] = biases[node]
        if products[0, 0] == -1:
            _project(part, frames, values, places, packed, products[0], nodes, hidden, (begin, end))
        for step in range(begin, end):
            for operation in code:
                if operation[0] != MULTIPLY:
                    _operate(operation, values, places, step, offset, rows * hidden)
                    continue
                product = products[operation[1]]
                a_at = (_at(places, product[0], step, offset), 0, hidden)
                panel = product[3]
                for node in nodes[product[1] : product[2]]:
                    c_at = (_at(places, node, step, offset), 0, hidden)
                    panel = _multiply(
                        values, a_at, packed, panel, values, c_at, (hidden, hidden), (1, rows), tile
                    )


@compiled
def _project(
    part: Any,
    frames: Any,
    values: Any,
    places: Any,
    packed: Any,
    product: Any,
    nodes: Any,
    hidden: int,
    steps: Any,
) -> None:
    """Add to linear nodes what frames give them, for some steps."""
    time, width = frames.shape[1:]
    tile = _make_tile(values)
    a_at = ((part[0] * time + steps[0]) * width, width, time * width)
    many = (steps[1] - steps[0], part[1] - part[0])
    panel = product[3]
    for node in nodes[product[1] : product[2]]:
        c_at = (_at(places, node, steps[0], part[0] * hidden), places[node, 1], hidden)
        panel = _multiply(
            frames.reshape(-1), a_at, packed, panel, values, c_at, (width, hidden), many, tile
        )


@compiled
def walk_back(
    part: Any,
    frames: Any,
    values: Any,
    places: Any,
    outputs: Any,
    slopes: Any,
    slope_places: Any,
    packed: Any,
    products: Any,
    nodes: Any,
    states: Any,
    direct: int,
    code: Any,
    to_frames: Any,
    to_direct: Any,
    to_weights: Any,
    to_biases: Any,
) -> None:
    """Add to the gradients of everything, for a part of the batch, from the last step on.

    Args:
        part: the first utterance, and the one behind the last.
        frames: (batch, time, width).
        values: what `walk` left.
        places: of the values.
        outputs: the gradient of the first state at every step, (batch, time, hidden).
        slopes: room for the gradients of the values of `CHUNK` steps, flat.
        slope_places: as `places`.
        packed: panels of all matrices.
        products: as in `walk`, with these panels.
        nodes: the linear nodes of all products.
        states: (2, states), those of the step before and the new ones.
        direct: what nodes that are not linear read as `x`, or -1.
        code: as in `walk`.
        to_frames: (batch, time, width), or nothing where nobody asks.
        to_direct: (batch, time, hidden), or nothing.
        to_weights: flat.
        to_biases: (linear nodes, hidden).
    """
    time, hidden = outputs.shape[1:]
    rows, offset = part[1] - part[0], part[0] * hidden
    size, chunk = rows * hidden, (time - 1) // CHUNK * CHUNK
    tile = _make_tile(values)
    for value in range(len(slope_places)):
        _clear(slopes, _at(slope_places, value, 0, offset), size)
    for begin in range(chunk, -1, -CHUNK):
        end = min(begin + CHUNK, time)
        for step in range(end - 1, begin - 1, -1):
            here = step - begin
            _take_over(outputs, slopes, slope_places, states, part, step, here)
            for number in range(len(code) - 1, -1, -1):
                operation = code[number]
                if operation[0] != MULTIPLY:
                    _operate_back(
                        operation, values, places, slopes, slope_places, step, here, offset, size
                    )
                    continue
                product = products[operation[1]]
                c_at = (_at(slope_places, product[0], here, offset), 0, hidden)
                panel = product[3]
                for node in nodes[product[1] : product[2]]:
                    a_at = (_at(slope_places, node, here, offset), 0, hidden)
                    panel = _multiply(
                        slopes, a_at, packed, panel, slopes, c_at, (hidden, hidden), (1, rows), tile
                    )
            if direct >= 0:
                start = _at(slope_places, direct, here, offset)
                for row in range(rows):
                    there = slopes[start + row * hidden : start + (row + 1) * hidden]
                    to_direct[part[0] + row, step] = there
        _finish(
            part, frames, values, places, slopes, slope_places, packed, products, nodes,
            (begin, end), to_frames, to_weights, to_biases,
        )  # fmt: skip


@compiled
def _take_over(
    outputs: Any, slopes: Any, places: Any, states: Any, part: Any, step: int, here: int
) -> None:
    """Begin a step: new states have the gradients of the next step's old ones and of outputs."""
    hidden = outputs.shape[2]
    offset, size = part[0] * hidden, (part[1] - part[0]) * hidden
    olds, news = states
    for value in range(len(places)):
        if not (olds == value).any():
            _clear(slopes, _at(places, value, here, offset), size)
    for number in range(len(olds)):
        one = _at(places, olds[number], here, offset)
        two = _at(places, news[number], here, offset)
        for q in range(size):
            slopes[two + q] += slopes[one + q]
        _clear(slopes, one, size)
    start = _at(places, news[0], here, offset)
    for row in range(part[0], part[1]):
        given, taken = outputs[row, step], slopes[start : start + hidden]
        for q in range(hidden):
            taken[q] += given[q]
        start += hidden


@compiled
def _finish(
    part: Any,
    frames: Any,
    values: Any,
    places: Any,
    slopes: Any,
    slope_places: Any,
    packed: Any,
    products: Any,
    nodes: Any,
    steps: Any,
    to_frames: Any,
    to_weights: Any,
    to_biases: Any,
) -> None:
    """Add what some steps give to the gradients of frames, weights and biases."""
    time, width = frames.shape[1:]
    linear, hidden = to_biases.shape
    begin, rows, offset = steps[0], part[1] - part[0], part[0] * hidden
    many = (steps[1] - begin, rows)
    for node in range(linear):
        # A sum of sums, because one over all steps would lose digits.
        total = np.zeros(hidden, slopes.dtype)
        for step in range(many[0]):
            start = _at(slope_places, node, step, offset)
            for row in range(rows):
                given = slopes[start + row * hidden : start + (row + 1) * hidden]
                for q in range(hidden):
                    total[q] += given[q]
        to_biases[node] += total
    frames_at = ((part[0] * time + begin) * width, width, time * width)
    if products[0, 0] == -1 and len(to_frames) > 0:
        tile, panel = _make_tile(values), products[0, 3]
        for node in nodes[products[0, 1] : products[0, 2]]:
            a_at = (_at(slope_places, node, 0, offset), slope_places[node, 1], hidden)
            panel = _multiply(
                slopes, a_at, packed, panel, to_frames.reshape(-1), frames_at, (hidden, width),
                many, tile,
            )  # fmt: skip
    for product in products:
        there = nodes[product[1] : product[2]]
        if product[0] == -1:
            _add_gradients(
                frames.reshape(-1), frames_at, width, slopes, slope_places, offset, there, hidden,
                many, to_weights, product[4],
            )  # fmt: skip
        elif product[0] >= 0:
            value = product[0]
            source_at = (_at(places, value, begin, offset), places[value, 1], hidden)
            _add_gradients(
                values, source_at, hidden, slopes, slope_places, offset, there, hidden, many,
                to_weights, product[4],
            )  # fmt: skip


@compiled
def _add_gradients(
    source: Any,
    source_at: Any,
    width: int,
    slopes: Any,
    places: Any,
    offset: int,
    nodes: Any,
    hidden: int,
    many: Any,
    to_weights: Any,
    matrix: int,
) -> None:
    """Add the gradients of the matrices of one source, (hidden, width) each, from `matrix` on."""
    tile = _make_tile(slopes)
    across, depth = len(tile) // ROWS, many[0] * many[1]
    panels = np.zeros((width + across - 1) // across * across * depth, slopes.dtype)
    for column in range(0, width, across):
        moved = (source_at[0] + column, source_at[1], source_at[2])
        room = panels[column * depth : (column + across) * depth]
        _gather(source, moved, min(across, width - column), many, room, across)
    lines = np.zeros(depth * ROWS, slopes.dtype)
    for node in nodes:
        for row in range(0, hidden, ROWS):
            rows = min(ROWS, hidden - row)
            start = _at(places, node, 0, offset) + row
            _gather(slopes, (start, places[node, 1], hidden), rows, many, lines, ROWS)
            for column in range(0, width, across):
                _tile(lines, 0, 1, ROWS, rows, panels, column * depth, depth, tile)
                count = min(across, width - column)
                _add_tile(tile, to_weights, matrix + row * width + column, width, rows, count)
        matrix += hidden * width


@compiled
def _gather(source: Any, at: Any, count: int, many: Any, room: Any, across: int) -> None:
    """Put the first numbers of the rows of some steps side by side, `across` apart."""
    to = 0
    for step in range(many[0]):
        start = at[0] + step * at[1]
        for _ in range(many[1]):
            room[to : to + count] = source[start : start + count]
            to += across
            start += at[2]


@compiled
def _clear(values: Any, start: int, size: int) -> None:
    values[start : start + size] = 0


@compiled
def _operate(operation: Any, values: Any, places: Any, step: int, offset: int, size: int) -> None:
    """Compute the result of an operation, of `size` numbers."""
    at = _at(places, operation[1], step, offset)
    result = values[at : at + size]
    at = _at(places, operation[2], step, offset)
    one = values[at : at + size]
    at = _at(places, operation[3], step, offset)
    two = values[at : at + size]
    if operation[0] == _TANH:
        _tanh(one, result)
    elif operation[0] == _SIGMOID:
        _sigmoid(one, result)
    elif operation[0] == _LEAKY:
        slope = values.dtype.type(_LEAK)
        for q in range(size):
            result[q] = one[q] if one[q] > 0 else one[q] * slope
    elif operation[0] == _SUM:
        for q in range(size):
            result[q] = one[q] + two[q]
    elif operation[0] == _PRODUCT:
        for q in range(size):
            result[q] = one[q] * two[q]
    else:
        at = _at(places, operation[4], step, offset)
        three = values[at : at + size]
        for q in range(size):
            result[q] = one[q] * two[q] + (three[q] - one[q] * three[q])


@compiled
def _operate_back(
    operation: Any,
    values: Any,
    places: Any,
    slopes: Any,
    slope_places: Any,
    step: int,
    here: int,
    offset: int,
    size: int,
) -> None:
    """Add to the gradients of an operation's inputs."""
    at = _at(slope_places, operation[1], here, offset)
    slope = slopes[at : at + size]
    at = _at(slope_places, operation[2], here, offset)
    to_one = slopes[at : at + size]
    if operation[0] < _SUM:
        at = _at(places, operation[1], step, offset)
        _activation_back(operation[0], values[at : at + size], slope, to_one)
        return
    at = _at(places, operation[2], step, offset)
    one = values[at : at + size]
    at = _at(places, operation[3], step, offset)
    two = values[at : at + size]
    at = _at(slope_places, operation[3], here, offset)
    to_two = slopes[at : at + size]
    if operation[0] == _SUM:
        for q in range(size):
            to_one[q] += slope[q]
        for q in range(size):
            to_two[q] += slope[q]
    elif operation[0] == _PRODUCT:
        for q in range(size):
            to_one[q] += slope[q] * two[q]
        for q in range(size):
            to_two[q] += slope[q] * one[q]
    else:
        at = _at(places, operation[4], step, offset)
        three = values[at : at + size]
        at = _at(slope_places, operation[4], here, offset)
        to_three = slopes[at : at + size]
        for q in range(size):
            to_one[q] += slope[q] * (two[q] - three[q])
        for q in range(size):
            to_two[q] += slope[q] * one[q]
        for q in range(size):
            to_three[q] += slope[q] - slope[q] * one[q]


@compiled
def _activation_back(number: int, result: Any, slope: Any, to_one: Any) -> None:
    """All three say by their result how steep they are."""
    if number == _TANH:
        for q in range(len(result)):
            to_one[q] += slope[q] - slope[q] * result[q] * result[q]
    elif number == _SIGMOID:
        for q in range(len(result)):
            to_one[q] += slope[q] * (result[q] - result[q] * result[q])
    else:
        share = result.dtype.type(_LEAK)
        for q in range(len(result)):
            to_one[q] += slope[q] if result[q] > 0 else slope[q] * share


@compiled
def _sigmoid(values: Any, results: Any) -> None:
    if values.itemsize == 8:
        for q in range(len(values)):
            results[q] = 1 / (1 + np.exp(-values[q]))
    else:
        for q in range(len(values)):
            results[q] = _ONE / (_ONE + _exp(-np.float32(values[q])))


@compiled
def _tanh(values: Any, results: Any) -> None:
    if values.itemsize == 8:
        for q in range(len(values)):
            results[q] = np.tanh(values[q])
    else:
        for q in range(len(values)):
            x = np.float32(values[q])
            square = x * x
            near = (((_T0 * square + _T1) * square + _T2) * square + _T3) * square + _T4
            far = _ONE - _TWO / (_exp(_TWO * abs(x)) + _ONE)
            far = -far if x < 0 else far
            results[q] = x + x * square * near if abs(x) < _NEAR else far


@_emitted
def _from_bits(_: Any, bits: Any) -> Any:
    """The number of single precision that has these bits."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        del context, signature
        return builder.bitcast(arguments[0], ir.FloatType())

    return types.float32(types.int32), generate


@compiled
def _exp(x: Any) -> Any:
    """As 2^n times what is left: n goes straight into the bits of the exponent."""
    x = _SMALLEST if x < _SMALLEST else x
    x = _LARGEST if x > _LARGEST else x
    n = np.floor(x * _LOG2_E + _HALF)
    rest = (x - n * _LN2_HIGH) - n * _LN2_LOW
    part = ((((_E0 * rest + _E1) * rest + _E2) * rest + _E3) * rest + _E4) * rest + _E5
    power = part * rest * rest + rest + _ONE
    return power * _from_bits((np.int32(n) + np.int32(127)) << np.int32(23))
