"""One layer of many bidirectional GRUs, as one function with a gradient of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from typing import Any, NamedTuple, TypeVar

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from emonas.networks.gru_steps import run, run_back
from emonas.networks.packing import Packing

Result = TypeVar("Result")


class Part(NamedTuple):
    """Directions from `first` to before `last` and blocks from `begin` to before `end`, which take
    their steps together.
    """

    first: int
    last: int
    begin: int
    end: int

    def ways(self, values: Tensor) -> Iterator[tuple[int, Tensor]]:
        """Each direction with its share of (units, ...)."""
        return enumerate(values.chunk(self.last - self.first), self.first)


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
        states = frames.new_empty(*frames.shape[:2], 2 * hidden)

        def work(part: Part) -> tuple[Tensor, Tensor]:
            weight = _units(weight_ih, part).transpose(1, 2)
            heard = _heard(frames, part, packing)
            gates = torch.baddbmm(_units(bias, part)[:, None], heard, weight)
            news = gates[..., 2 * hidden :].clone()
            gates[..., 2 * hidden :] = _units(inner, part)[:, None]
            found = run(packing, _units(weight_hh, part), gates, news)
            _tell(found, states, part, packing)
            return gates, news

        kept = _for_parts(work, len(frames), frames.device)
        ctx.packing = packing
        ctx.save_for_backward(frames, weight_ih, weight_hh, states, *chain(*kept.values()))
        ctx.parts = list(kept)
        return states

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        """The gradients of frames, weights and biases."""
        frames, weight_ih, weight_hh, states, *tensors = ctx.saved_tensors
        kept = dict(zip(ctx.parts, zip(tensors[::2], tensors[1::2], strict=True), strict=True))
        packing, hidden = ctx.packing, weight_hh.shape[-1]
        to_frames = torch.zeros_like(frames) if ctx.needs_input_grad[0] else None
        to_ih, to_hh = torch.empty_like(weight_ih), torch.empty_like(weight_hh)
        to_bias = weight_ih.new_empty(weight_ih.shape[:3])
        to_inner = to_bias.new_empty(*to_bias.shape[:2], hidden)

        def work(part: Part) -> None:
            flow, state = (_told(x, part, packing) for x in (gradient, states))
            weight, (gates, news) = _units(weight_hh, part), kept[part]
            to_weight, given, to_bias_n = run_back(packing, weight, gates, news, state, flow)
            _units(to_hh, part).copy_(to_weight)
            _units(to_inner, part).copy_(to_bias_n)
            torch.sum(given, dim=1, out=_units(to_bias, part))
            heard = _heard(frames, part, packing)
            torch.bmm(given.transpose(1, 2), heard, out=_units(to_ih, part))
            if to_frames is not None:
                _add_heard(torch.bmm(given, _units(weight_ih, part)), to_frames, part, packing)

        _for_parts(work, len(frames), frames.device)
        return to_frames, to_ih, to_hh, to_bias, to_inner, None


def _for_parts(
    work: Callable[[Part], Result], blocks: int, device: torch.device
) -> dict[Part, Result]:
    """Do the work for all directions and blocks.

    A GPU takes all at once. A processor takes one unit after the other, whose weights then stay in
    its cache over all steps, and each of torch's threads takes its own blocks, because one step of
    one unit is too small to be shared.
    """
    if device.type != "cpu":
        whole = Part(0, 2, 0, blocks)
        return {whole: work(whole)}

    inference = torch.is_inference_mode_enabled()

    def of_block(block: int) -> list[tuple[Part, Result]]:
        parts = [Part(direction, direction + 1, block, block + 1) for direction in range(2)]
        # Whether gradients are recorded is a matter of each thread.
        with torch.inference_mode(inference), torch.no_grad():
            return [(part, work(part)) for part in parts]

    threads = torch.get_num_threads()
    if threads == 1:
        return dict(chain(*map(of_block, range(blocks))))
    try:
        with ThreadPoolExecutor(threads, initializer=torch.set_num_threads, initargs=(1,)) as pool:
            return dict(chain(*pool.map(of_block, range(blocks))))
    finally:
        # torch keeps the number for each thread, and the last one given for those to come.
        torch.set_num_threads(threads)


def _units(tensor: Tensor, part: Part) -> Tensor:
    """The part of (2, blocks, ...) as (units, ...), in place."""
    return tensor[part.first : part.last, part.begin : part.end].flatten(0, 1)


def _heard(frames: Tensor, part: Part, packing: Packing) -> Tensor:
    """(blocks, frames, width) as the part's units hear it in time, (units, frames, width)."""
    own = frames[part.begin : part.end]
    ways = [_turned(own, direction, packing) for direction in range(part.first, part.last)]
    return ways[0] if len(ways) == 1 else torch.cat(ways)


def _add_heard(values: Tensor, frames: Tensor, part: Part, packing: Packing) -> None:
    """Add what units have of frames, (units, frames, width), to those of (blocks, frames, width)
    that they heard.
    """
    for direction, way in part.ways(values):
        frames[part.begin : part.end].add_(_turned(way, direction, packing))


def _tell(values: Tensor, states: Tensor, part: Part, packing: Packing) -> None:
    """Write (units, frames, hidden) to its place in (blocks, frames, 2 * hidden)."""
    for direction, way in part.ways(values):
        place = states[part.begin : part.end].chunk(2, dim=2)[direction]
        place.copy_(_turned(way, direction, packing))


def _told(states: Tensor, part: Part, packing: Packing) -> Tensor:
    """A copy of what `_tell` has written, (units, frames, hidden)."""
    ways = states[part.begin : part.end].chunk(2, dim=2)[part.first : part.last]
    return torch.cat([_turned(way, d, packing) for d, way in enumerate(ways, part.first)])


def _turned(frames: Tensor, direction: int, packing: Packing) -> Tensor:
    """(blocks, frames, ...) from time to a direction's order, and from that back to time."""
    return frames.index_select(1, packing.mirror) if direction else frames
