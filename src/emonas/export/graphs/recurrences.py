"""torch's recurrent layers as ONNX's, which know each utterance's length by themselves.

Nothing here computes: these are stand-ins while a network is traced.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from emonas.networks.parallel_gru import ParallelGru

_GATES = {"GRU": (1, 0, 2), "LSTM": (0, 3, 1, 2), "RNN": (0,)}
"""Where ONNX's gates stand among torch's."""


class Layer(NamedTuple):
    """The weights of one layer, a direction each: (directions, gates * hidden, width), (directions,
    gates * hidden, hidden) and twice (directions, gates * hidden).
    """

    weight_ih: Tensor
    weight_hh: Tensor
    bias_ih: Tensor
    bias_hh: Tensor


class OnnxRecurrence(nn.Module):
    """Layers of one of ONNX's recurrent operators; `cell` is its name."""

    def __init__(self, cell: str, hidden: int, layers: Sequence[Layer]) -> None:
        super().__init__()
        self._cell, self._hidden, self._layers = cell, hidden, len(layers)
        self._directions = len(layers[0].weight_ih)
        for number, layer in enumerate(layers):
            parts = [self._ordered(weights) for weights in layer]
            held = parts[0], parts[1], torch.cat(parts[2:], dim=1)
            for name, tensor in zip(("input", "state", "bias"), held, strict=True):
                self.register_buffer(f"{name}{number}", tensor)

    def _ordered(self, weights: Tensor) -> Tensor:
        """A direction's weights with the gates in ONNX's order."""
        order = _GATES[self._cell]
        gates = weights.detach().chunk(len(order), dim=1)
        return torch.cat([gates[number] for number in order], dim=1)

    def forward(self, frames: Tensor, lengths: Tensor | None) -> tuple[Tensor, Tensor]:
        """(batch, time, width) and (batch), None where nothing looks back from an utterance's end,
        to states (batch, time, directions * hidden) and what the last layer's directions end with,
        (directions, batch, hidden).
        """
        direction = "bidirectional" if self._directions == 2 else "forward"
        # torch's GRU applies the reset gate behind the product.
        gru = {"linear_before_reset": 1} if self._cell == "GRU" else {}
        ends = None if lengths is None else lengths.to(torch.int32)
        states, last = frames.transpose(0, 1), frames
        for number in range(self._layers):
            weights = [self.get_buffer(f"{name}{number}") for name in ("input", "state", "bias")]
            steps, batch, _ = states.shape
            shape = (self._directions, batch, self._hidden)
            found, last, *_ = torch.onnx.ops.symbolic_multi_out(
                self._cell,
                (states, *weights, ends),
                {"hidden_size": self._hidden, "direction": direction, **gru},
                dtypes=(torch.float32, torch.float32),
                shapes=((steps, *shape), shape),
            )
            states = found.transpose(1, 2).flatten(2)
        return states.transpose(0, 1), last


def of_library(cells: nn.RNNBase) -> OnnxRecurrence:
    """The layers of torch's RNN of tanh, GRU or LSTM."""
    ways = ("", "_reverse") if cells.bidirectional else ("",)
    layers = [
        Layer(
            *(
                torch.stack([getattr(cells, f"{name}_l{layer}{way}") for way in ways])
                for name in Layer._fields
            )
        )
        for layer in range(cells.num_layers)
    ]
    return OnnxRecurrence(cells.mode.partition("_")[0], cells.hidden_size, layers)


class OnnxParallel(nn.Module):
    """Independent bidirectional GRUs, one after the other."""

    def __init__(self, parallel: ParallelGru) -> None:
        super().__init__()
        layers = [
            [getattr(layer, name).unbind(dim=1) for name in Layer._fields]
            for layer in parallel.layers
        ]
        hidden = layers[0][1][0].shape[-1]
        self.blocks = nn.ModuleList(
            OnnxRecurrence(
                "GRU", hidden, [Layer(*(part[block] for part in layer)) for layer in layers]
            )
            for block in range(len(layers[0][0]))
        )

    def forward(self, frames: Tensor, lengths: Tensor) -> Tensor:
        """(batch, blocks, time, width) and (batch) to (batch, blocks, time, 2 * hidden)."""
        found = [block(frames[:, b], lengths)[0] for b, block in enumerate(self.blocks)]
        return torch.stack(found, dim=1)
