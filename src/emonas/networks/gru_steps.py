"""The steps of gated recurrent units over packed frames, and the way back through them."""

import torch
from torch import Tensor

from emonas.networks.packing import Packing


def run(packing: Packing, weight: Tensor, gates: Tensor, news: Tensor) -> Tensor:
    """Hidden states (units, frames, hidden), zero before each utterance's first frame.

    Args:
        packing: where the frames stand.
        weight: of the hidden state, (units, 3 * hidden, hidden), the gates in the order r, z, n.
        gates: what the input gives to r and z, and the bias of the hidden state in n, (units,
            frames, 3 * hidden); becomes r, z and the hidden state's part of n.
        news: what the input gives to n, (units, frames, hidden); becomes n.
    """
    hidden = weight.shape[-1]
    across = weight.transpose(1, 2)
    states = torch.empty_like(news)
    previous = torch.zeros_like(news[:, : packing.sizes[0]])
    for start, size in zip(packing.starts, packing.sizes, strict=True):
        step = slice(start, start + size)
        previous = previous[:, :size]
        gate, new = gates[:, step], news[:, step]
        # As baddbmm_, which torch's counter of operations does not see.
        torch.baddbmm(gate, previous, across, out=gate)
        gate[..., : 2 * hidden].sigmoid_()
        reset, update, inner = gate.chunk(3, dim=2)
        new.addcmul_(reset, inner).tanh_()
        previous = torch.lerp(new, previous, update, out=states[:, step])
    return states


def run_back(
    packing: Packing, weight: Tensor, gates: Tensor, news: Tensor, states: Tensor, flow: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """The gradients of `weight`, of what the input gives, (units, frames, 3 * hidden), and of the
    hidden state's bias in n, (units, hidden).

    What a step multiplies the gradient with is computed for all steps at once, so that a step back
    is three operations, and the gradient of the weight is one product over all steps. `flow`
    (units, frames, hidden) is the gradient of the states, and takes up what comes through time.
    """
    first = packing.sizes[0]
    reset, update, inner = gates.chunk(3, dim=2)
    previous = torch.zeros_like(states)
    previous[:, first:] = states.index_select(1, packing.before)
    to_new = torch.ops.aten.tanh_backward(1 - update, news)
    given = torch.empty_like(gates)
    to_reset, to_update, to_inner = given.chunk(3, dim=2)
    to_reset.copy_(torch.ops.aten.sigmoid_backward(to_new * inner, reset))
    to_update.copy_(torch.ops.aten.sigmoid_backward(previous - news, update))
    torch.mul(to_new, reset, out=to_inner)
    steps = list(zip(packing.starts, packing.sizes, strict=True))
    for (start, size), (before, _) in zip(steps[:0:-1], steps[-2::-1], strict=True):
        step = slice(start, start + size)
        current, gate = flow[:, step], given[:, step]
        _by_gate(gate).mul_(current[:, :, None])
        earlier = flow[:, before : before + size]
        earlier.addcmul_(current, update[:, step])
        earlier.baddbmm_(gate, weight)
    _by_gate(given[:, :first]).mul_(flow[:, :first, None])
    to_weight = torch.bmm(given.transpose(1, 2), previous)
    to_bias = to_inner.sum(dim=1)
    torch.mul(flow, to_new, out=to_inner)
    return to_weight, given, to_bias


def _by_gate(tensor: Tensor) -> Tensor:
    """(units, frames, 3 * hidden) as (units, frames, 3, hidden)."""
    return tensor.view(*tensor.shape[:2], 3, -1)
