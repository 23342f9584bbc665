"""From a feature of an utterance to one vector (Multi-gating, 4.1)."""

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from emonas.networks.bidirectional import run_packed
from emonas.networks.streams import Stream


class SequenceEncoder(nn.Module):
    """Convolutions over time, a stacked bidirectional LSTM, attention over its states.

    `channels` kernels of 3 frames and as many of 5, whose outputs are added (authors' code).
    """

    def __init__(self, width: int, channels: int, hidden: int, layers: int, size: int) -> None:
        super().__init__()
        self.narrow = nn.Conv1d(width, channels, 3, padding=1)
        self.wide = nn.Conv1d(width, channels, 5, padding=2)
        self.cells = nn.LSTM(channels, hidden, layers, batch_first=True, bidirectional=True)
        self.attention = LastStateAttention(2 * hidden, size)

    def forward(self, stream: Stream) -> Tensor:
        """(batch, time, width) to (batch, size); frames behind an utterance's end count as zero."""
        mask = stream.mask
        frames = stream.frames.masked_fill(~mask[..., None], 0.0).transpose(1, 2)
        grams = (self.narrow(frames) + self.wide(frames)).transpose(1, 2)
        # The kernels reach behind the end, but what they find there is not packed.
        states, (last, _) = run_packed(self.cells, Stream(grams, stream.lengths))
        # The last two are the directions of the top layer.
        vector: Tensor = self.attention(torch.cat([last[-2], last[-1]], dim=1), states, mask)
        return vector


class LastStateAttention(nn.Module):
    """softmax(z W_Q (H W_K)^T / sqrt(size)) H W_V, z the last state (Multi-gating, eqs. 1, 2)."""

    def __init__(self, width: int, size: int) -> None:
        super().__init__()
        self.query = nn.Linear(width, size, bias=False)
        self.key = nn.Linear(width, size, bias=False)
        self.value = nn.Linear(width, size, bias=False)

    def forward(self, last: Tensor, states: Tensor, mask: Tensor) -> Tensor:
        """From z (batch, width), H (batch, time, width) and (batch, time), True where a frame
        counts, to (batch, size).

        States behind an utterance's end weigh nothing, but must be finite numbers.
        """
        # Of the many keys only their product with one query is asked, and the weighed sum of the
        # values is the value of the weighed sum: neither is computed a frame.
        asked = self.query(last) @ self.key.weight / math.sqrt(len(self.key.weight))
        scores = torch.einsum("btw,bw->bt", states, asked).masked_fill(~mask, float("-inf"))
        vector: Tensor = self.value(torch.einsum("bt,btw->bw", scores.softmax(dim=1), states))
        return vector


class VectorEncoder(nn.Module):
    """A feature of one vector an utterance: as it is where it has `size` numbers and nothing is
    `hidden`, else through linear layers with ReLU between them, `hidden` wide.
    """

    def __init__(self, width: int, size: int, hidden: Sequence[int] = ()) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        if width != size or hidden:
            for inputs, outputs in pairwise((width, *hidden, size)):
                layers += [nn.Linear(inputs, outputs), nn.ReLU()]
        self.layers = nn.Sequential(*layers[:-1])

    def forward(self, stream: Stream) -> Tensor:
        """(batch, 1, width) to (batch, size)."""
        vector: Tensor = self.layers(stream.frames[:, 0])
        return vector
