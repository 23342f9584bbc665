"""Independent bidirectional GRUs that run together."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from emonas.networks.packing import Packing, pack
from emonas.networks.parallel_recurrence import ParallelLayer


class ParallelGru(nn.Module):
    """A bidirectional GRU a block, with the equations, weights and start of torch's own.

    Every layer's weights are those of `nn.GRU` with two axes before them, direction and block:
    `weight_ih` (2, blocks, 3 * hidden, width), `weight_hh` (2, blocks, 3 * hidden, hidden),
    `bias_ih` and `bias_hh` (2, blocks, 3 * hidden), the gates in the order r, z, n. `dropout` acts
    on the output of every layer, the last one's too.
    """

    def __init__(
        self, blocks: int, width: int, hidden: int, layers: int, dropout: float = 0.0
    ) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            _Layer(blocks, 2 * hidden if layer else width, hidden) for layer in range(layers)
        )
        self.dropout = nn.Dropout(dropout)

    def forward(self, frames: Tensor, lengths: Tensor) -> Tensor:
        """(batch, blocks, time, width) and (batch) to (batch, blocks, time, 2 * hidden), zero
        behind an utterance's end.
        """
        batch, blocks, steps, _ = frames.shape
        packing = pack(lengths, steps)
        states = frames.transpose(0, 1).flatten(1, 2).index_select(1, packing.rows)
        for layer in self.layers:
            states = self.dropout(layer(states, packing))
        padded = states.new_zeros(blocks, batch * steps, states.shape[2])
        padded.index_copy_(1, packing.rows, states)
        return padded.view(blocks, batch, steps, -1).transpose(0, 1)


class _Layer(nn.Module):
    """One layer over packed frames."""

    def __init__(self, blocks: int, width: int, hidden: int) -> None:
        super().__init__()
        self.weight_ih = nn.Parameter(torch.empty(2, blocks, 3 * hidden, width))
        self.weight_hh = nn.Parameter(torch.empty(2, blocks, 3 * hidden, hidden))
        self.bias_ih = nn.Parameter(torch.empty(2, blocks, 3 * hidden))
        self.bias_hh = nn.Parameter(torch.empty(2, blocks, 3 * hidden))
        bound = 1 / math.sqrt(hidden)
        for parameter in self.parameters():
            nn.init.uniform_(parameter, -bound, bound)

    def forward(self, frames: Tensor, packing: Packing) -> Tensor:
        """(blocks, frames, width) to (blocks, frames, 2 * hidden)."""
        hidden = self.weight_hh.shape[-1]
        at_gates, at_new = self.bias_hh[..., : 2 * hidden], self.bias_hh[..., 2 * hidden :]
        bias = self.bias_ih + nn.functional.pad(at_gates, (0, hidden))
        states: Tensor = ParallelLayer.apply(  # type: ignore[no-untyped-call]
            frames, self.weight_ih, self.weight_hh, bias, at_new, packing
        )
        return states
