"""How the streams of a fused system become one (EmotionNAS v2, 2.3 and 4.4; v1, 2.3)."""

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn

from emonas.networks.streams import Output, Stream


class InformationSupplement(nn.Module):
    """ISM: F = X2 + sum of tanh(Proj(X2) * H) * H with H = Proj(X1) (EmotionNAS v2, eqs. 3 to 5).

    X2 is the dominant stream and stays as it is; every other stream is an X1 with its own two
    projections (the paper has one such stream).
    """

    def __init__(self, widths: tuple[int, ...], dominant: int) -> None:
        super().__init__()
        self._dominant = dominant
        self.width = widths[dominant]
        others = [width for index, width in enumerate(widths) if index != dominant]
        self.supplements = nn.ModuleList(nn.Linear(width, self.width) for width in others)
        self.selectors = nn.ModuleList(nn.Linear(self.width, self.width) for _ in others)

    def forward(self, vectors: list[Tensor]) -> Tensor:
        """A vector (batch, width) a stream to (batch, width of the dominant)."""
        dominant = vectors[self._dominant]
        others = [vector for index, vector in enumerate(vectors) if index != self._dominant]
        fused = dominant
        for other, supplement, selector in zip(
            others, self.supplements, self.selectors, strict=True
        ):
            supplied = supplement(other)
            fused = fused + torch.tanh(selector(dominant) * supplied) * supplied
        return fused


class Concatenation(nn.Module):
    """All streams side by side."""

    def __init__(self, widths: tuple[int, ...]) -> None:
        super().__init__()
        self.width = sum(widths)

    def forward(self, vectors: list[Tensor]) -> Tensor:
        """A vector a stream to (batch, sum of widths)."""
        return torch.cat(vectors, dim=1)


class Elementwise(nn.Module):
    """Sum, max or min of H1 and X2, H1 the linear map of the dominant stream X1 (v2, 4.4).

    Section 4.4 names the dominant stream X1 where 2.3 names it X2: it is the dominant one that is
    mapped here, to the width of the other (our reading).
    """

    def __init__(
        self, widths: tuple[int, ...], dominant: int, operation: Literal["sum", "max", "min"]
    ) -> None:
        super().__init__()
        others = [width for index, width in enumerate(widths) if index != dominant]
        self._dominant, self._operation = dominant, operation
        self.width = others[0]
        self.projection = nn.Linear(widths[dominant], self.width)

    def forward(self, vectors: list[Tensor]) -> Tensor:
        """A vector a stream to (batch, width of the others)."""
        stacked = torch.stack(
            [
                self.projection(vector) if index == self._dominant else vector
                for index, vector in enumerate(vectors)
            ]
        )
        if self._operation == "sum":
            return stacked.sum(dim=0)
        return stacked.amax(dim=0) if self._operation == "max" else stacked.amin(dim=0)


class FusionClassifier(nn.Module):
    """A fusion of embeddings and a linear classifier on it."""

    def __init__(
        self, fusion: InformationSupplement | Concatenation | Elementwise, classes: int
    ) -> None:
        super().__init__()
        self.fusion = fusion
        self.classifier = nn.Linear(fusion.width, classes)

    def forward(self, *streams: Stream) -> Output:
        """Streams of one frame, the embeddings, to logits and the fused embedding."""
        fused = self.fusion([stream.frames[:, 0] for stream in streams])
        return Output(self.classifier(fused), fused)


class DecisionPerceptron(nn.Module):
    """The perceptron of v1 on the streams' probabilities: 8-8, 8-4, 4-4 for two streams and four
    classes, ReLU between (the activation is ours).
    """

    def __init__(self, streams: int, classes: int) -> None:
        super().__init__()
        width = streams * classes
        self.body = nn.Sequential(
            nn.Linear(width, width), nn.ReLU(), nn.Linear(width, classes), nn.ReLU()
        )
        self.classifier = nn.Linear(classes, classes)

    def forward(self, *streams: Stream) -> Output:
        """Streams of one frame, the probabilities, to logits and the last hidden layer."""
        embedding = self.body(torch.cat([stream.frames[:, 0] for stream in streams], dim=1))
        return Output(self.classifier(embedding), embedding)


class JointNetwork(nn.Module):
    """Networks of streams and the fusion of their embeddings, trained as one.

    `counts` says how many streams of a batch each network hears, in their order.
    """

    def __init__(
        self, networks: Sequence[nn.Module], counts: tuple[int, ...], fusion: nn.Module
    ) -> None:
        super().__init__()
        self.networks = nn.ModuleList(networks)
        self.fusion = fusion
        self._counts = counts

    def forward(self, *streams: Stream) -> Output:
        """All streams, those of the first network first, to logits and the fused embedding."""
        embeddings = []
        first = 0
        for network, count in zip(self.networks, self._counts, strict=True):
            embedding = network(*streams[first : first + count]).embedding
            embeddings.append(Stream(embedding[:, None], torch.ones_like(streams[0].lengths)))
            first += count
        fused: Output = self.fusion(*embeddings)
        return fused
