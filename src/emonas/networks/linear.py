"""A linear classifier on pooled features."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from emonas.networks.pooling import mean_and_deviation
from emonas.networks.streams import Output, Stream


class PooledLinear(nn.Module):
    """Mean and deviation over frames of every stream, standardised, then one linear map.

    A stream of vectors has one frame an utterance and is taken as it is. Which streams are such
    shows in the data only: `set_vectors` says it, and it stands among the weights, so that weights
    that are loaded bring their sizes.
    """

    centre: Tensor
    scale: Tensor
    vectors: Tensor

    def __init__(self, widths: tuple[int, ...], classes: int) -> None:
        super().__init__()
        self._widths = widths
        self._classes = classes
        self.set_vectors([False] * len(widths))
        self.register_load_state_dict_pre_hook(_take_sizes)  # type: ignore[no-untyped-call]

    def set_vectors(self, vectors: Sequence[bool]) -> None:
        """Say which streams have one frame an utterance; whatever was learnt is gone."""
        self._counted = tuple(
            width if vector else 2 * width
            for width, vector in zip(self._widths, vectors, strict=True)
        )
        width = sum(self._counted)
        self.register_buffer("vectors", torch.tensor(vectors, dtype=torch.bool))
        self.register_buffer("centre", torch.zeros(width))
        self.register_buffer("scale", torch.ones(width))
        self.classifier = nn.Linear(width, self._classes)

    def pool(self, *streams: Stream) -> Tensor:
        """All streams pooled and side by side, (batch, width)."""
        pooled = [
            mean_and_deviation(stream)[:, :counted]
            for stream, counted in zip(streams, self._counted, strict=True)
        ]
        return torch.cat(pooled, dim=1)

    def forward(self, *streams: Stream) -> Output:
        """Streams to logits and the standardised pooled features."""
        embedding = (self.pool(*streams) - self.centre) / self.scale
        return Output(self.classifier(embedding), embedding)


def _take_sizes(module: nn.Module, state: Mapping[str, Tensor], prefix: str, *_: object) -> None:
    """Take the sizes of weights that are about to be loaded; others than its own fail later."""
    vectors = state.get(f"{prefix}vectors", torch.empty(0))
    if isinstance(module, PooledLinear) and vectors.shape == module.vectors.shape:
        module.set_vectors(vectors.tolist())
