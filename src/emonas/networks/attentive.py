"""The systems of CTA-RNN: from streams to one vector, and the classifier on it."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from emonas.networks.attention import ChannelTemporalAttention, SelfAttention
from emonas.networks.bidirectional import BidirectionalLayers
from emonas.networks.dropout import FrameSharedDropout
from emonas.networks.parallel_gru import ParallelGru
from emonas.networks.streams import Output, Stream, side_by_side, stacked


class VectorClassifier(nn.Module):
    """A body that makes one vector of its streams, and a linear classifier (our reading)."""

    def __init__(self, body: nn.Module, width: int, classes: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.body = body
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(width, classes)

    def forward(self, *streams: Stream) -> Output:
        """Streams to logits and the vector."""
        embedding = self.body(*streams)
        return Output(self.classifier(self.dropout(embedding)), embedding)


class RecurrentAttention(nn.Module):
    """RNN-MHSA: a bidirectional GRU, and self-attention over its states (CTA-RNN, 4.2.1).

    Several streams stand side by side in each frame (EF-RNN, 4.2.2).
    """

    def __init__(
        self, gru: BidirectionalLayers, attention: SelfAttention, input_dropout: float = 0.0
    ) -> None:
        super().__init__()
        self.input_dropout = FrameSharedDropout(input_dropout)
        self.gru = gru
        self.attention = attention

    def forward(self, *streams: Stream) -> Tensor:
        """Streams of equal lengths to (batch, heads * head_width)."""
        stream = side_by_side(streams)
        states = self.gru(Stream(self.input_dropout(stream.frames), stream.lengths))
        vector: Tensor = self.attention(states, stream.mask)
        return vector


class WeightedFusion(nn.Module):
    """WF-RNN: RNN-MHSA over the weighted mean of all blocks, the weights a softmax of a learnt
    score each (CTA-RNN, 4.2.2); all scores start alike (ours).
    """

    def __init__(self, blocks: int, body: RecurrentAttention) -> None:
        super().__init__()
        self.scores = nn.Parameter(torch.zeros(blocks))
        self.body = body

    def forward(self, *streams: Stream) -> Tensor:
        """Streams of one width and of equal lengths to one vector."""
        frames, lengths = stacked(streams)
        mean = torch.einsum("n,bntw->btw", self.scores.softmax(dim=0), frames)
        vector: Tensor = self.body(Stream(mean, lengths))
        return vector


class LateFusion(nn.Module):
    """LF-RNN: an RNN-MHSA a stream, each with its own width and lengths; their vectors stand side
    by side, or go as a sequence through one more, `second` (CTA-RNN, 4.2.2).
    """

    def __init__(
        self, bodies: Sequence[RecurrentAttention], second: RecurrentAttention | None = None
    ) -> None:
        super().__init__()
        self.bodies = nn.ModuleList(bodies)
        self.second = second

    def forward(self, *streams: Stream) -> Tensor:
        """Streams to one vector."""
        vectors = [body(stream) for body, stream in zip(self.bodies, streams, strict=True)]
        if self.second is None:
            return torch.cat(vectors, dim=1)
        lengths = torch.full_like(streams[0].lengths, len(vectors))
        vector: Tensor = self.second(Stream(torch.stack(vectors, dim=1), lengths))
        return vector


class ChannelTemporalFusion(nn.Module):
    """CTA-RNN: a GRU a block where there are any, and attention over blocks and frames
    (CTA-RNN, 3.2; without GRUs 4.3.2).
    """

    def __init__(
        self,
        attention: ChannelTemporalAttention,
        gru: ParallelGru | None = None,
        input_dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.input_dropout = FrameSharedDropout(input_dropout)
        self.gru = gru
        self.attention = attention

    def forward(self, *streams: Stream) -> Tensor:
        """Streams of one width and of equal lengths to (batch, heads * head_width)."""
        dropped = [Stream(self.input_dropout(s.frames), s.lengths) for s in streams]
        states, lengths = stacked(dropped)
        if self.gru is not None:
            states = self.gru(states, lengths)
        vector: Tensor = self.attention(states, streams[0].mask)
        return vector
