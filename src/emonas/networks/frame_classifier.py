"""A classifier of every frame, by all frames of its utterance."""

from torch import Tensor, nn

from emonas.networks.bidirectional import BidirectionalLayers
from emonas.networks.streams import Stream


class FrameClassifier(nn.Module):
    """Bidirectional LSTM layers, with dropout behind each, and a linear map of a frame's states."""

    def __init__(
        self, width: int, hidden: int, layers: int, outputs: int, dropout: float = 0.0
    ) -> None:
        super().__init__()
        self.layers = BidirectionalLayers("lstm", width, hidden, layers, dropout)
        self.scores = nn.Linear(2 * hidden, outputs)

    def forward(self, stream: Stream) -> tuple[Tensor, Tensor]:
        """Logits (batch, time, outputs) and states (batch, time, 2 * hidden) of every frame; those
        behind an utterance's end mean nothing.
        """
        states = self.layers(stream)
        return self.scores(states), states
