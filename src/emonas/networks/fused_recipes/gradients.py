"""What the gradients of linear nodes at some steps add to those of weights and frames.

`slopes` and `places` are the gradients of values and where they stand, as in `back`; `many` is how
many steps and how many utterances.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from emonas.networks.fused_recipes.compiling import compiled
from emonas.networks.fused_recipes.pointwise import place
from emonas.networks.fused_recipes.tiles import ROWS, add_tile, gather, multiply


@compiled
def add_biases(slopes: Any, places: Any, offset: int, many: Any, to_biases: Any) -> None:
    """A sum of sums, because one over all steps would lose digits."""
    linear, hidden = to_biases.shape
    for node in range(linear):
        total = np.zeros(hidden, slopes.dtype)
        for step in range(many[0]):
            start = place(places, node, step, offset)
            for row in range(many[1]):
                given = slopes[start + row * hidden : start + (row + 1) * hidden]
                for q in range(hidden):
                    total[q] += given[q]
        to_biases[node] += total


@compiled
def gather_slopes(
    slopes: Any, places: Any, offset: int, many: Any, to_biases: Any, lines: Any
) -> None:
    """Gradients of all linear nodes, `ROWS` units side by side at all steps and utterances."""
    linear, hidden = to_biases.shape
    to = 0
    for node in range(linear):
        for unit in range(0, hidden, ROWS):
            at = (place(places, node, 0, offset) + unit, places[node, 1], hidden)
            size = many[0] * many[1] * ROWS
            gather(slopes, at, min(ROWS, hidden - unit), many, lines[to : to + size], ROWS)
            to += size


@compiled
def add_weights(
    source: Any,
    at: Any,
    shape: Any,
    lines: Any,
    nodes: Any,
    many: Any,
    to_weights: Any,
    first: int,
    panel: Any,
    room: Any,
) -> None:
    """Add the gradients of the matrices of one source, each of `shape`.

    They are tiles one after the other from `first` on, (panels, nodes, tiles, ROWS, width): what is
    spread over memory takes longer to fetch.
    """
    hidden, width = shape
    across, depth = len(room) // ROWS, many[0] * many[1]
    tiles = (hidden + ROWS - 1) // ROWS
    # A panel stays in the fastest cache while all units pass by.
    for column in range(0, width, across):
        gather(
            source, (at[0] + column, at[1], at[2]), min(across, width - column), many, panel, across
        )
        for node in nodes:
            for tile in range(node * tiles, (node + 1) * tiles):
                a_at = (tile * depth * ROWS, 1, ROWS)
                add_tile(
                    lines, a_at, panel, 0, depth, to_weights, (first, across), (ROWS, across), room
                )
                first += len(room)


@compiled
def add_frames(
    slopes: Any,
    places: Any,
    offset: int,
    nodes: Any,
    many: Any,
    packed: Any,
    panel: int,
    to_frames: Any,
    first: Any,
    shape: Any,
    room: Any,
) -> None:
    """Add to the gradient of frames, where it is asked for."""
    hidden, width = shape
    if len(to_frames) == 0:
        return
    c_at = (first[0] * width, width, first[1] * width)
    for node in nodes:
        a_at = (place(places, node, 0, offset), places[node, 1], hidden)
        panel = multiply(slopes, a_at, packed, panel, to_frames, c_at, shape, many, room)
