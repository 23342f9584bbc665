"""The walk back, from the last step on.

Gradients of the values of some steps stand as values do (see `there`), with places of their own.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from emonas.networks.fused_recipes.compiling import compiled, kept
from emonas.networks.fused_recipes.gradients import (
    add_biases,
    add_frames,
    add_weights,
    gather_slopes,
)
from emonas.networks.fused_recipes.pointwise import operate_back, place
from emonas.networks.fused_recipes.there import CHUNK, MULTIPLY
from emonas.networks.fused_recipes.tiles import ROWS, make_room, multiply


@kept
def walk_back(
    part: Any,
    frames: Any,
    frames_at: Any,
    values: Any,
    places: Any,
    outputs: Any,
    outputs_at: Any,
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
    """Add to the gradients of everything, for a part of the batch.

    Args:
        part: as in `there`, and so `frames`, `frames_at`, `values`, `places`, `nodes`, `code`.
        frames: flat.
        frames_at: of frames.
        values: what the walk left.
        places: of the values.
        outputs: the gradient of the first state at every step, flat.
        outputs_at: of `outputs`, elements from step to step and from utterance to utterance.
        slopes: room for the gradients of the values of `CHUNK` steps, flat.
        slope_places: as `places`.
        packed: panels of all matrices.
        products: as in `there`, with these panels.
        nodes: the linear nodes of all products.
        states: (2, states), those of the step before and the new ones.
        direct: what nodes that are not linear read as `x`, or -1.
        code: operations in their order.
        to_frames: (batch, time, width), flat, or nothing where nobody asks.
        to_direct: (batch, time, hidden), or nothing.
        to_weights: flat, in tiles; see `add_weights`.
        to_biases: (linear nodes, hidden).
    """
    time, hidden = frames_at[0], to_biases.shape[1]
    rows, offset = part[1] - part[0], part[0] * hidden
    room, wide, lines = _make_rooms(values, hidden, rows, len(to_biases))
    _clear(slopes, slope_places, states[0], offset, rows * hidden)
    for begin in range((time - 1) // CHUNK * CHUNK, -1, -CHUNK):
        end = min(begin + CHUNK, time)
        for step in range(end - 1, begin - 1, -1):
            here = step - begin
            _take_over(slopes, slope_places, states, here, offset, rows * hidden)
            given_at = place(slope_places, states[1, 0], here, offset)
            _take_outputs(outputs, outputs_at, slopes, given_at, part, step, hidden)
            _step_back(
                values, places, slopes, slope_places, packed, products, nodes, code,
                (step, here, offset, rows, hidden), room,
            )  # fmt: skip
            if direct >= 0:
                start = place(slope_places, direct, here, offset)
                _give_direct(slopes, start, part, step, to_direct)
        many = (end - begin, rows)
        add_biases(slopes, slope_places, offset, many, to_biases)
        gather_slopes(slopes, slope_places, offset, many, to_biases, lines)
        _add_products(
            frames, frames_at, values, places, slopes, slope_places, packed, products, nodes,
            lines, (part[0], begin, offset, hidden), many, to_frames, to_weights, wide, room,
        )  # fmt: skip


@compiled
def _clear(slopes: Any, places: Any, states: Any, offset: int, size: int) -> None:
    """Nothing comes from behind the last step."""
    for state in states:
        start = place(places, state, 0, offset)
        slopes[start : start + size] = 0


@compiled
def _take_outputs(
    outputs: Any, outputs_at: Any, slopes: Any, start: int, part: Any, step: int, hidden: int
) -> None:
    """Add what is asked of a step's first state, which stands from `start` on."""
    for row in range(part[0], part[1]):
        given = step * outputs_at[0] + row * outputs_at[1]
        for q in range(hidden):
            slopes[start + q] += outputs[given + q]
        start += hidden


@compiled
def _give_direct(slopes: Any, start: int, part: Any, step: int, to_direct: Any) -> None:
    """Copy the gradient of what is read as `x`, which stands from `start` on."""
    hidden = to_direct.shape[2]
    for row in range(part[0], part[1]):
        to_direct[row, step] = slopes[start : start + hidden]
        start += hidden


@compiled
def _add_products(
    frames: Any,
    frames_at: Any,
    values: Any,
    places: Any,
    slopes: Any,
    slope_places: Any,
    packed: Any,
    products: Any,
    nodes: Any,
    lines: Any,
    at: Any,
    many: Any,
    to_frames: Any,
    to_weights: Any,
    panel: Any,
    room: Any,
) -> None:
    """Add to the gradients of matrices and frames what `many` steps and utterances give; `at` is
    the first utterance, the first step, that utterance's offset, and hidden.
    """
    row, begin, offset, hidden = at
    time, width, frame_step, frame_row = frames_at
    for product in products:
        there = nodes[product[1] : product[2]]
        if product[0] == -1:
            from_frames = row * frame_row + begin * frame_step, frame_step, frame_row
            shape = (hidden, width)
            add_weights(
                frames, from_frames, shape, lines, there, many, to_weights, product[4], panel, room
            )
            add_frames(
                slopes, slope_places, offset, there, many, packed, product[3], to_frames,
                (row * time + begin, time), shape, room,
            )  # fmt: skip
        elif product[0] >= 0:
            source = product[0]
            from_values = place(places, source, begin, offset), places[source, 1], hidden
            shape = (hidden, hidden)
            add_weights(
                values, from_values, shape, lines, there, many, to_weights, product[4], panel, room
            )


@compiled
def _step_back(
    values: Any,
    places: Any,
    slopes: Any,
    slope_places: Any,
    packed: Any,
    products: Any,
    nodes: Any,
    code: Any,
    at: Any,
    room: Any,
) -> None:
    """Go through the operations of a step, the last first; `at` is the step, its number among
    those whose gradients are kept, the first utterance's offset, utterances, hidden.
    """
    step, here, offset, rows, hidden = at
    for number in range(len(code) - 1, -1, -1):
        operation = code[number]
        if operation[0] != MULTIPLY:
            operate_back(
                operation, values, places, slopes, slope_places, step, here, offset, rows * hidden
            )
            continue
        product = products[operation[1]]
        c_at = (place(slope_places, product[0], here, offset), 0, hidden)
        panel = product[3]
        for node in nodes[product[1] : product[2]]:
            a_at = (place(slope_places, node, here, offset), 0, hidden)
            panel = multiply(
                slopes, a_at, packed, panel, slopes, c_at, (hidden, hidden), (1, rows), room
            )


@compiled
def _make_rooms(like: Any, hidden: int, rows: int, linear: int) -> Any:
    """For a tile, a panel of a source, and the gradients of all linear nodes."""
    room, depth = make_room(like), CHUNK * rows
    tall = (hidden + ROWS - 1) // ROWS * ROWS
    panel = np.zeros(len(room) // ROWS * depth, like.dtype)
    return room, panel, np.zeros(linear * tall * depth, like.dtype)


@compiled
def _take_over(slopes: Any, places: Any, states: Any, here: int, offset: int, size: int) -> None:
    """Begin a step: new states have the gradients that the next step gave its old ones."""
    olds, news = states
    for value in range(len(places)):
        if not (olds == value).any():
            start = place(places, value, here, offset)
            slopes[start : start + size] = 0
    for number in range(len(olds)):
        one = place(places, olds[number], here, offset)
        two = place(places, news[number], here, offset)
        for q in range(size):
            slopes[two + q] += slopes[one + q]
        slopes[one : one + size] = 0
