"""A bidirectional GRU over one stream."""

from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from emonas.networks.streams import Stream


class BidirectionalGru(nn.Module):
    """torch's bidirectional GRU, which begins its way back at an utterance's own last frame.

    `dropout` acts on the output of every layer, the last one's too.
    """

    def __init__(self, width: int, hidden: int, layers: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.cells = nn.GRU(
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
        if stream.lengths.is_meta:
            states: Tensor = self.cells(stream.frames)[0]
            return states
        packed = pack_padded_sequence(
            stream.frames, stream.lengths.cpu(), batch_first=True, enforce_sorted=False
        )
        states, _ = pad_packed_sequence(
            self.cells(packed)[0], batch_first=True, total_length=stream.frames.shape[1]
        )
        dropped: Tensor = self.dropout(states)
        return dropped
