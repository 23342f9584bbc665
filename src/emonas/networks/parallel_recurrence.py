"""One layer of many bidirectional GRUs, as one function with a gradient of its own."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from emonas.networks.gru_steps import run, run_back
from emonas.networks.packing import Packing

Part = tuple[slice, slice]
"""Directions and blocks that take their steps together."""


class ParallelLayer(torch.autograd.Function):
    """Independent bidirectional GRUs over packed frames, one layer.

    Written by hand for three things that torch's own gradient does not do: a step of all units is
    one matrix product, the gradient of a weight is one product over all steps, and of a unit only
    its gates and states are kept.
    """

    @staticmethod
    def forward(
        ctx: Any,
        frames: Tensor,
        weight_ih: Tensor,
        weight_hh: Tensor,
        bias: Tensor,
        inner: Tensor,
        packing: Packing,
    ) -> Tensor:
        """Hidden states (blocks, frames, 2 * hidden).

        Args:
            ctx: keeps what the way back needs.
            frames: (blocks, frames, width).
            weight_ih: of the input, (2, blocks, 3 * hidden, width).
            weight_hh: of the hidden state, (2, blocks, 3 * hidden, hidden).
            bias: all that is added to the gates, (2, blocks, 3 * hidden), but for `inner`.
            inner: the bias of the hidden state in n, which r multiplies, (2, blocks, hidden).
            packing: where the frames stand.
        """
        hidden = weight_hh.shape[-1]
        blocks, count, _ = frames.shape
        gates = frames.new_empty(2, blocks, count, 3 * hidden)
        news = frames.new_empty(2, blocks, count, hidden)
        states = frames.new_empty(blocks, count, 2 * hidden)

        def work(part: Part) -> None:
            weight, kept, new = (_units(x, part) for x in (weight_ih, gates, news))
            given = torch.baddbmm(
                _units(bias, part)[:, None], _heard(frames, part, packing), weight.transpose(1, 2)
            )
            kept[..., : 2 * hidden] = given[..., : 2 * hidden]
            kept[..., 2 * hidden :] = _units(inner, part)[:, None]
            new.copy_(given[..., 2 * hidden :])
            found = run(packing, _units(weight_hh, part), kept, new)
            _tell(found, states, part, packing)

        _for_parts(work, blocks, frames.device)
        ctx.packing = packing
        ctx.save_for_backward(frames, weight_ih, weight_hh, gates, news, states)
        return states

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        """The gradients of frames, weights and biases."""
        frames, weight_ih, weight_hh, gates, news, states = ctx.saved_tensors
        packing, hidden = ctx.packing, weight_hh.shape[-1]
        to_frames = torch.zeros_like(frames) if ctx.needs_input_grad[0] else None
        to_ih, to_hh = torch.empty_like(weight_ih), torch.empty_like(weight_hh)
        to_bias = weight_ih.new_empty(weight_ih.shape[:3])
        to_inner = to_bias.new_empty(*to_bias.shape[:2], hidden)

        def work(part: Part) -> None:
            flow, state = (_told(x, part, packing) for x in (gradient, states))
            weight, kept, new = (_units(x, part) for x in (weight_hh, gates, news))
            to_weight, given, to_bias_n = run_back(packing, weight, kept, new, state, flow)
            _units(to_hh, part).copy_(to_weight)
            _units(to_inner, part).copy_(to_bias_n)
            torch.sum(given, dim=1, out=_units(to_bias, part))
            heard = _heard(frames, part, packing)
            torch.bmm(given.transpose(1, 2), heard, out=_units(to_ih, part))
            if to_frames is not None:
                _add_heard(torch.bmm(given, _units(weight_ih, part)), to_frames, part, packing)

        _for_parts(work, len(frames), frames.device)
        return to_frames, to_ih, to_hh, to_bias, to_inner, None


def _for_parts(work: Callable[[Part], None], blocks: int, device: torch.device) -> None:
    """Do the work for all directions and blocks.

    A GPU takes all at once. A processor takes one unit after the other, whose weights then stay in
    its cache over all steps, and each of torch's threads takes its own blocks, because one step of
    one unit is too small to be shared.
    """
    if device.type != "cpu":
        work((slice(0, 2), slice(0, blocks)))
        return

    def of_block(block: int) -> None:
        # Whether gradients are recorded is a matter of each thread.
        with torch.no_grad():
            for direction in range(2):
                work((slice(direction, direction + 1), slice(block, block + 1)))

    threads = torch.get_num_threads()
    if threads == 1:
        for block in range(blocks):
            of_block(block)
        return
    try:
        with ThreadPoolExecutor(threads, initializer=torch.set_num_threads, initargs=(1,)) as pool:
            list(pool.map(of_block, range(blocks)))
    finally:
        # torch keeps the number for each thread, and the last one given for those to come.
        torch.set_num_threads(threads)


def _units(tensor: Tensor, part: Part) -> Tensor:
    """The part of (2, blocks, ...) as (units, ...), in place."""
    return tensor[part].flatten(0, 1)


def _heard(frames: Tensor, part: Part, packing: Packing) -> Tensor:
    """(blocks, frames, width) as the part's units hear it in time, (units, frames, width)."""
    directions, blocks = part
    ways = [
        frames[blocks].index_select(1, packing.mirror) if direction else frames[blocks]
        for direction in range(directions.start, directions.stop)
    ]
    return ways[0] if len(ways) == 1 else torch.cat(ways)


def _add_heard(values: Tensor, frames: Tensor, part: Part, packing: Packing) -> None:
    """Add what units have of frames, (units, frames, width), to those of (blocks, frames, width)
    that they heard.
    """
    directions, blocks = part
    ways = values.chunk(directions.stop - directions.start)
    for direction, way in zip(range(directions.start, directions.stop), ways, strict=True):
        frames[blocks].add_(way.index_select(1, packing.mirror) if direction else way)


def _tell(values: Tensor, states: Tensor, part: Part, packing: Packing) -> None:
    """Write (units, frames, hidden) to its place in (blocks, frames, 2 * hidden)."""
    directions, blocks = part
    hidden = values.shape[2]
    ways = values.chunk(directions.stop - directions.start)
    for direction, way in zip(range(directions.start, directions.stop), ways, strict=True):
        place = states[blocks, :, direction * hidden : (direction + 1) * hidden]
        place.copy_(way.index_select(1, packing.mirror) if direction else way)


def _told(states: Tensor, part: Part, packing: Packing) -> Tensor:
    """A copy of what `_tell` has written, (units, frames, hidden)."""
    directions, blocks = part
    ways = states[blocks].chunk(2, dim=2)[directions]
    first = directions.start
    return torch.cat(
        [
            way.index_select(1, packing.mirror) if direction else way
            for direction, way in enumerate(ways, first)
        ]
    )
