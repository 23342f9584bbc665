"""A classifier of every frame, by all frames of its utterance."""

from torch import Tensor, nn

from emonas.networks.bidirectional import run_packed
from emonas.networks.streams import Stream


class FrameClassifier(nn.Module):
    """Bidirectional LSTM layers, and a linear map of each frame's states.

    `dropout` acts on the output of every layer, the last one's too.
    """

    def __init__(
        self, width: int, hidden: int, layers: int, outputs: int, dropout: float = 0.0
    ) -> None:
        super().__init__()
        self.cells = nn.LSTM(
            width,
            hidden,
            layers,
            batch_first=True,
            bidirectional=True,
            # torch's own leaves the last layer out, and warns where there is no other.
            dropout=dropout if layers > 1 else 0.0,
        )
        self.dropout = nn.Dropout(dropout)
        self.scores = nn.Linear(2 * hidden, outputs)

    def forward(self, stream: Stream) -> tuple[Tensor, Tensor]:
        """Logits (batch, time, outputs) and states (batch, time, 2 * hidden) of every frame; those
        behind an utterance's end mean nothing.
        """
        states = self.dropout(run_packed(self.cells, stream)[0])
        return self.scores(states), states
