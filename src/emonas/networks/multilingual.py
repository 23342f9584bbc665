"""The network of several languages, and that of one (Multi-gating, figures 1 and 2)."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from emonas.networks.multi_gating import (
    ClosedConnections,
    Combined,
    Connections,
    Gated,
    SideBySide,
    Summed,
)
from emonas.networks.pooling import mean_over_frames
from emonas.networks.sequence_encoder import SequenceEncoder, VectorEncoder
from emonas.networks.speaker_encoder import SpeakerEncoder
from emonas.networks.streams import Output, Stream, averaged
from emonas.networks.towers import DomainTowers, UnionTower


class MultilingualNetwork(nn.Module):
    """Encoders, shared by all domains; connections of features; their combination; towers.

    A model of one language has its features side by side and one tower (4.1). The connections
    transform the features before the gates weigh them (our reading).

    Args:
        encoders: one a stream; of a stream that is neither `gated` nor `beside` it is left out.
        selector: the stream whose mean over frames, before any encoder, is x of eq. 7; of a
            waveform it is the vector of its encoder.
        combination: how the features become one vector.
        towers: from that vector to logits; of several, which begin with other weights and see other
            dropout, the probabilities are averaged.
        domains: how many there are.
        gated: the streams that are combined; all where none are given.
        beside: whether the selector's encoded vector stands beside the combination (authors'
            code: they leave it out of the sum).
        connections: what transforms the features first, if anything does.
        dropout: of what a tower sees.

    Raises:
        ValueError: a stream is named that has no encoder; there is no tower; the combination or
            `beside` needs a selector and there is none; connections meet features side by side.
    """

    def __init__(
        self,
        encoders: Sequence[SequenceEncoder | VectorEncoder | SpeakerEncoder],
        selector: int | None,
        combination: SideBySide | Summed | Gated,
        towers: Sequence[DomainTowers | UnionTower],
        *,
        domains: int = 1,
        gated: Sequence[int] | None = None,
        beside: bool = False,
        connections: Connections | ClosedConnections | None = None,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        if not towers:
            raise ValueError("there is no tower")
        if selector is None and (beside or isinstance(combination, Gated)):
            raise ValueError("gates, and a vector beside them, need a selector")
        if connections is not None and isinstance(combination, SideBySide):
            raise ValueError("connections need vectors of one size, which are not side by side")
        self._gated = tuple(range(len(encoders)) if gated is None else gated)
        named = {*self._gated, *(() if selector is None else (selector,))}
        if not named <= set(range(len(encoders))):
            raise ValueError(f"streams {sorted(named)}, but {len(encoders)} encoders")
        heard = named if beside else {*self._gated}
        self._encodes = selector is not None and isinstance(encoders[selector], SpeakerEncoder)
        if selector is not None and self._encodes:
            heard.add(selector)
        self.encoders = nn.ModuleDict({str(index): encoders[index] for index in sorted(heard)})
        self.connections = connections
        self.combination = combination
        self.dropout = nn.Dropout(dropout)
        self.towers = nn.ModuleList(towers)
        self._selector, self._beside, self._domains = selector, beside, domains

    def forward(self, *streams: Stream, domain: int = 0) -> Output:
        """Streams of one domain to logits over the union of classes, what the tower sees, and the
        gates' weights.

        Raises:
            ValueError: there is no such domain.
        """
        if not 0 <= domain < self._domains:
            raise ValueError(f"domain {domain}, but there are {self._domains}")
        encoded = {int(name): layer(streams[int(name)]) for name, layer in self.encoders.items()}
        selector = self._selecting(streams, encoded)
        vectors = [encoded[index] for index in self._gated]
        embedding, weights = self._combine(vectors, selector, domain)
        if self._beside and self._selector is not None:
            embedding = torch.cat([embedding, encoded[self._selector]], dim=1)
        members = torch.stack([tower(self.dropout(embedding), domain) for tower in self.towers])
        if len(members) == 1:
            return Output(members[0], embedding, weights)
        each = members if self.training else None
        return Output(averaged(members), embedding, weights, members=each)

    def penalty(self) -> Tensor | None:
        """How many connections are open in expectation, over all domains; none if they are not
        being searched.
        """
        return self.connections.penalty() if isinstance(self.connections, Connections) else None

    def _selecting(self, streams: Sequence[Stream], encoded: Mapping[int, Tensor]) -> Tensor | None:
        """The x of eq. 7, (batch, width)."""
        if self._selector is None:
            return None
        if self._encodes:
            return encoded[self._selector]
        return mean_over_frames(streams[self._selector])

    def _combine(self, vectors: list[Tensor], selector: Tensor | None, domain: int) -> Combined:
        combined: Combined
        if isinstance(self.combination, SideBySide):
            combined = self.combination(vectors)
            return combined
        together = torch.stack(vectors, dim=1)
        if self.connections is not None:
            together = self.connections(together, domain)
        combined = self.combination(together, selector, domain)
        return combined
