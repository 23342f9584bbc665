"""The walk over all steps.

Values of a step are (values, batch, hidden) in one flat array, where `places` says for each value
at which element it stands at the first step, and how many elements further at the next.
"""

from __future__ import annotations

from typing import Any

from emonas.networks.fused_recipes.compiling import compiled, kept
from emonas.networks.fused_recipes.pointwise import operate, place
from emonas.networks.fused_recipes.program import OPERATIONS
from emonas.networks.fused_recipes.tiles import make_room, multiply

MULTIPLY = OPERATIONS["product"]
CHUNK = 16
"""Steps whose products with frames, and of weights' gradients, are made together."""


@kept
def walk(
    part: Any,
    frames: Any,
    frames_at: Any,
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
        frames: flat.
        frames_at: of frames, how many steps there are, how many numbers in each, and elements from
            step to step and from utterance to utterance.
        values: of all steps, flat.
        places: (values, 2).
        packed: panels of all transposed matrices.
        biases: (linear nodes, hidden); the linear nodes are the first values.
        products: (products, 5), that of frames first: source, or -1 for frames, or -2 where there
            is none, where its nodes begin and end, where its panels begin, and its gradients.
        nodes: the linear nodes of all products.
        old: the states of the step before.
        code: operations in their order, (operations, 5).
    """
    time, width, frame_step, frame_row = frames_at
    hidden = biases.shape[1]
    rows, offset = part[1] - part[0], part[0] * hidden
    room = make_room(values)
    for state in old:
        start = place(places, state, 0, offset)
        values[start : start + rows * hidden] = 0
    for begin in range(0, time, CHUNK):
        end = min(begin + CHUNK, time)
        _fill(values, places, biases, (begin, end), rows, offset)
        if products[0, 0] == -1:
            a_at = (part[0] * frame_row + begin * frame_step, frame_step, frame_row)
            panel = products[0, 3]
            for node in nodes[products[0, 1] : products[0, 2]]:
                c_at = (place(places, node, begin, offset), places[node, 1], hidden)
                panel = multiply(
                    frames, a_at, packed, panel, values, c_at, (width, hidden),
                    (end - begin, rows), room,
                )  # fmt: skip
        for step in range(begin, end):
            for operation in code:
                if operation[0] != MULTIPLY:
                    operate(operation, values, places, step, offset, rows * hidden)
                    continue
                product = products[operation[1]]
                a_at = (place(places, product[0], step, offset), 0, hidden)
                panel = product[3]
                for node in nodes[product[1] : product[2]]:
                    c_at = (place(places, node, step, offset), 0, hidden)
                    panel = multiply(
                        values, a_at, packed, panel, values, c_at, (hidden, hidden), (1, rows), room
                    )


@compiled
def _fill(values: Any, places: Any, biases: Any, steps: Any, rows: int, offset: int) -> None:
    """Put biases into linear nodes."""
    hidden = biases.shape[1]
    for step in range(steps[0], steps[1]):
        for node in range(len(biases)):
            start = place(places, node, step, offset)
            for row in range(rows):
                values[start + row * hidden : start + (row + 1) * hidden] = biases[node]
