"""Recurrent layers of torch, and the classifier over any recurrent layers."""

from typing import Literal

from torch import Tensor, nn

from emonas.networks.dropout import FrameSharedDropout
from emonas.networks.pooling import AttentionPooling, StatisticsPooling
from emonas.networks.streams import Output, Stream, side_by_side


class LibraryLayers(nn.Module):
    """torch's RNN, GRU or LSTM over (batch, time, width), giving (batch, time, hidden)."""

    def __init__(
        self, cell: Literal["rnn", "gru", "lstm"], width: int, hidden: int, layers: int
    ) -> None:
        super().__init__()
        kind = {"rnn": nn.RNN, "gru": nn.GRU, "lstm": nn.LSTM}[cell]
        self.cells = kind(width, hidden, layers, batch_first=True)

    def forward(self, frames: Tensor) -> Tensor:
        """Hidden states of the last layer; they look back only, so padding behind changes none."""
        states: Tensor = self.cells(frames)[0]
        return states


class RecurrentClassifier(nn.Module):
    """Recurrent layers, pooling over frames, a linear classifier (EmotionNAS v2, 2.2)."""

    def __init__(
        self,
        body: nn.Module,
        hidden: int,
        classes: int,
        dropout: float = 0.0,
        pooling: Literal["attention", "statistics"] = "attention",
        input_dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.input_dropout = FrameSharedDropout(input_dropout)
        self.body = body
        self.pooling = AttentionPooling(hidden) if pooling == "attention" else StatisticsPooling()
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(hidden if pooling == "attention" else 2 * hidden, classes)

    def forward(self, *streams: Stream) -> Output:
        """Streams of equal lengths, side by side frame by frame, to logits and the pooled state.

        Raises:
            ValueError: streams differ in length.
        """
        stream = side_by_side(streams)
        embedding = self.pooling(self.body(self.input_dropout(stream.frames)), stream.mask)
        return Output(self.classifier(self.dropout(embedding)), embedding)
