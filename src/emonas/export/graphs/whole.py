"""All that one fold computes, from features to logits, as one module to be traced."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from emonas.export.graphs.hearing import Hearing
from emonas.export.graphs.stand_ins import LeftOutError, traceable
from emonas.networks.derived_cells import DerivedNetwork
from emonas.networks.fusion import JointNetwork
from emonas.networks.resnet import ResNet
from emonas.networks.search_cells import SearchNetwork
from emonas.networks.streams import Output, Stream

if TYPE_CHECKING:
    from emonas.export.networks import FoldNetworks, TrainedNetwork

LENGTHS = ".lengths"
"""Ends the name of the input that has the lengths of a feature's utterances."""
DOMAIN = "domain"
"""The input that has the number of each utterance's domain."""
LOGITS = "logits"
"""The output."""
_IMAGES = (DerivedNetwork, SearchNetwork, ResNet)
"""Networks over features of one length, which hear padding too."""


@dataclass(frozen=True)
class FeatureInput:
    """A feature, or a layer of one, that goes into a graph: frames (batch, time, width).

    `vector` says that there is one frame an utterance, `whole` that all frames count, whatever
    their number, so that nobody asks for lengths.
    """

    name: str
    feature: str
    layer: str | None
    width: int
    vector: bool
    whole: bool

    @property
    def lengths(self) -> str | None:
        """The input that says how many frames each utterance has; none where nobody asks."""
        return None if self.vector or self.whole else self.feature + LENGTHS


class WholeNetwork(nn.Module):
    """The graph's function. `forward` takes its inputs in the order of `names`.

    Raises:
        LeftOutError: the system can't be one graph.
    """

    def __init__(self, fold: FoldNetworks) -> None:
        super().__init__()
        fusion, names = fold.fusion, list(fold.heads)
        self.classes = len(fold.classes)
        self.fusion: nn.Module | None = None
        joint = self._probabilities = False
        if fusion is not None:
            names = list(fusion.options.fuse)
            joint = isinstance(fusion.network, JointNetwork)
            self.fusion = traceable(fusion.last)
            self._probabilities = fusion.options.method == "perceptron"
        heads = [_Head(fold.heads[name], joint=joint) for name in names]
        self.heads = nn.ModuleList(heads)
        self.inputs = _inputs(heads)
        self.pool = max(head.pool for head in heads)
        self.domains = next((head.domains for head in heads if head.domains), ())
        lengths = dict.fromkeys(one.lengths for one in self.inputs if one.lengths)
        told = [DOMAIN] if self.domains else []
        self.names = [*(one.name for one in self.inputs), *map(str, lengths), *told]
        if len({*self.names, LOGITS}) <= len(self.names):
            raise LeftOutError(
                f"a feature is named {DOMAIN} or {LOGITS}, which means something else"
            )

    def forward(self, *tensors: Tensor) -> Tensor:
        """Logits, (batch, classes)."""
        given = dict(zip(self.names, tensors, strict=True))
        heard = {one.name: _stream(one, given) for one in self.inputs}
        outputs = [head(heard, given.get(DOMAIN)) for head in self.heads]
        if self.fusion is None:
            logits: Tensor = outputs[0].logits
            return logits
        vectors = [
            output.logits.softmax(dim=1) if self._probabilities else output.embedding
            for output in outputs
        ]
        one = torch.ones_like(vectors[0][:, 0], dtype=torch.int64)
        fused: Output = self.fusion(*(Stream(vector[:, None], one) for vector in vectors))
        return fused.logits


class _Head(nn.Module):
    """A trained network with what it hears; one that learnt on with its fusion hears all of an
    utterance, and tells no domains apart.
    """

    def __init__(self, trained: TrainedNetwork, *, joint: bool) -> None:
        super().__init__()
        options, shape = trained.files.system, trained.shape
        self.streams = _streams(trained)
        self.domains = () if joint or len(shape.domains) < 2 else tuple(shape.domains)
        longest = None if joint else options.longest
        entries = [entry for entry, _ in trained.heard]
        self.pool = max(entry.pool for entry in entries)
        self.hearing = Hearing(entries, trained.normaliser, longest)
        self.network = traceable(trained.network)

    def forward(self, heard: Mapping[str, Stream], domain: Tensor | None) -> Output:
        streams = self.hearing([heard[one.name] for one in self.streams])
        if not self.domains or domain is None:
            output: Output = self.network(*streams)
            return output
        found = [self.network(*streams, domain=number) for number in range(len(self.domains))]
        logits, embedding = found[0].logits, found[0].embedding
        for number, other in enumerate(found[1:], 1):
            own = (domain == number)[:, None]
            logits = torch.where(own, other.logits, logits)
            embedding = torch.where(own, other.embedding, embedding)
        return Output(logits, embedding)


def _streams(trained: TrainedNetwork) -> list[FeatureInput]:
    """What a network hears, before anything is done to it."""
    shape, whole = trained.shape, isinstance(trained.network, _IMAGES)
    return [
        FeatureInput(
            name,
            entry.feature,
            layer,
            width // 2 if entry.statistics else width,
            vector and not entry.statistics,
            whole,
        )
        for (entry, layer), name, width, vector in zip(
            trained.heard, shape.names, shape.widths, shape.vectors, strict=True
        )
    ]


def _inputs(heads: Iterable[_Head]) -> list[FeatureInput]:
    """What all networks hear, each once."""
    found: dict[str, FeatureInput] = {}
    for one in (stream for head in heads for stream in head.streams):
        known = found.setdefault(one.name, one)
        found[one.name] = replace(known, whole=known.whole and one.whole)
    return list(found.values())


def _stream(one: FeatureInput, given: Mapping[str, Tensor]) -> Stream:
    frames = given[one.name]
    if one.lengths is not None:
        return Stream(frames, given[one.lengths])
    return Stream(frames, torch.ones_like(frames[:, 0, 0], dtype=torch.int64) * frames.shape[1])
