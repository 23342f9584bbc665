"""A linear classifier on pooled features."""

import torch
from torch import Tensor, nn

from emonas.networks.pooling import mean_and_deviation
from emonas.networks.streams import Output, Stream


class PooledLinear(nn.Module):
    """Mean and deviation over frames of every stream, standardised, then one linear map.

    A stream of one frame an utterance is taken as it is.
    """

    centre: Tensor
    scale: Tensor

    def __init__(self, widths: tuple[int, ...], vectors: tuple[bool, ...], classes: int) -> None:
        super().__init__()
        self._vectors = vectors
        width = sum(w if vector else 2 * w for w, vector in zip(widths, vectors, strict=True))
        self.register_buffer("centre", torch.zeros(width))
        self.register_buffer("scale", torch.ones(width))
        self.classifier = nn.Linear(width, classes)

    def pool(self, *streams: Stream) -> Tensor:
        """All streams pooled and side by side, (batch, width)."""
        pooled = [
            stream.frames[:, 0] if vector else mean_and_deviation(stream)
            for stream, vector in zip(streams, self._vectors, strict=True)
        ]
        return torch.cat(pooled, dim=1)

    def forward(self, *streams: Stream) -> Output:
        """Streams to logits and the standardised pooled features."""
        embedding = (self.pool(*streams) - self.centre) / self.scale
        return Output(self.classifier(embedding), embedding)
