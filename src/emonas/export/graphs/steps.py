"""What goes through an utterance step by step, as ONNX's Scan."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import torch
from torch import Tensor
from torch.nn.functional import linear

from emonas.networks.recipes import RecipeLayer

States: TypeAlias = list[Tensor]
_NEVER = -1e30
"""The logarithm of 0; the difference of two infinities would be no number."""


def _scan(
    step: Callable[[States, States], tuple[States, Tensor]], first: States, frames: States
) -> tuple[States, Tensor]:
    """Go through `frames`, (time, ...) each; gives the last states, and what each step gives."""
    from torch._higher_order_ops.scan import scan

    found: tuple[States, Tensor] = scan(step, first, frames)
    return found


def recipe_layer(layer: RecipeLayer, frames: Tensor) -> Tensor:
    """`RecipeLayer.forward`, in whose steps nothing depends on how many there are."""
    turned = frames.transpose(0, 1)
    steps, batch, _ = turned.shape
    heard = [bias.expand(steps, batch, -1).clone() for bias in layer.biases]
    if "x" in layer.places:
        nodes = layer.places["x"]
        blocks = linear(turned, layer.weights[layer.sources.index("x")]).chunk(len(nodes), dim=-1)
        for node, block in zip(nodes, blocks, strict=True):
            number = layer.linear_nodes.index(node)
            heard[number] = heard[number] + block
    direct = turned if layer.widen is None else layer.widen(turned)

    def step(states: States, now: States) -> tuple[States, Tensor]:
        sums = dict(zip(layer.linear_nodes, now, strict=False))
        new = layer.step(now[-1] if layer._takes_frames else None, sums, states)
        # What a step gives must not share memory with anything else of it.
        return [state.clone() for state in new], new[0].clone()

    first = [frames.new_zeros(batch, layer.hidden) for _ in range(layer.states)]
    _, found = _scan(step, first, [*heard, direct.contiguous()])
    return found.transpose(0, 1)


def sequence_likelihoods(logs: Tensor, lengths: Tensor, labels: int) -> Tensor:
    """`emonas.networks.ctc.sequence_likelihoods` by the forward recursion of Graves et al. (2006).

    Between the blanks of a class's sequence stands the class alone, so that a path only stays where
    it is or goes one place on.
    """
    wide = logs.double().transpose(0, 1)
    steps, classes = wide.shape[0], wide.shape[2] - 1
    blank = wide[..., -1:].expand(-1, -1, classes)
    places = [wide[..., :-1] if place % 2 else blank for place in range(2 * labels + 1)]
    given = torch.stack(places, dim=-1)
    own = (torch.arange(steps, device=logs.device)[:, None] < lengths)[..., None, None]
    start = torch.full_like(given[0], _NEVER)
    start[..., 0] = 0.0

    def step(states: States, now: States) -> tuple[States, Tensor]:
        (paths,), (emitted, inside) = states, now
        before = torch.cat([torch.full_like(paths[..., :1], _NEVER), paths[..., :-1]], dim=-1)
        new = torch.where(inside, _either(paths, before) + emitted, paths)
        return [new], new[:, 0, 0].clone()

    (ended,), _ = _scan(step, [start], [given, own])
    last = 2 * ((lengths + 1) // 2).clamp(max=labels)[:, None, None].expand(-1, classes, 1)
    both = _either(ended.gather(2, last), ended.gather(2, last - 1))
    return both[..., 0].to(logs.dtype)


def _either(first: Tensor, second: Tensor) -> Tensor:
    """The logarithm of the sum of two probabilities, of their logarithms."""
    return torch.maximum(first, second) + torch.log(1 + torch.exp(-(first - second).abs()))
