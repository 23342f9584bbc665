"""Bidirectional layers over one stream."""

from typing import Any, Literal

from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from emonas.networks.streams import Stream


class BidirectionalLayers(nn.Module):
    """torch's bidirectional GRU or LSTM, whose way back begins at an utterance's own last frame.

    `dropout` acts on the output of every layer, the last one's too.
    """

    def __init__(
        self,
        cell: Literal["gru", "lstm"],
        width: int,
        hidden: int,
        layers: int,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        kind = nn.GRU if cell == "gru" else nn.LSTM
        self.cells = kind(
            width,
            hidden,
            layers,
            batch_first=True,
            bidirectional=True,
            # torch's own leaves the last layer out, and warns where there is no other.
            dropout=dropout if layers > 1 else 0.0,
        )
        self.dropout = nn.Dropout(dropout)

    def forward(self, stream: Stream) -> Tensor:
        """Hidden states (batch, time, 2 * hidden), zero behind an utterance's end."""
        dropped: Tensor = self.dropout(run_packed(self.cells, stream)[0])
        return dropped


def run_packed(cells: nn.GRU | nn.LSTM, stream: Stream) -> tuple[Tensor, Any]:
    """States of torch's cells (batch, time, directions * hidden), zero behind an utterance's end,
    and what the cells end with, of each direction behind its own last frame.
    """
    if stream.lengths.is_meta:
        counted: tuple[Tensor, Any] = cells(stream.frames)
        return counted
    packed = pack_padded_sequence(
        stream.frames, stream.lengths.cpu(), batch_first=True, enforce_sorted=False
    )
    states, last = cells(packed)
    padded, _ = pad_packed_sequence(states, batch_first=True, total_length=stream.frames.shape[1])
    return padded, last
