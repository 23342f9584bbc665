"""A copy of a network that can be traced: what depends on each utterance's length while it runs is
replaced by what a graph can say. `parity` holds the graph against the network itself.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import MethodType
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from emonas.export.graphs.recurrences import OnnxParallel, of_library
from emonas.export.graphs.steps import recipe_layer, sequence_likelihoods
from emonas.export.graphs.waveforms import (
    log_mels,
    prepare_encoder,
    prepare_whisper,
    transformers_encoder,
)
from emonas.networks.bidirectional import BidirectionalLayers
from emonas.networks.convolutional_recurrent import ConvolutionalRecurrent
from emonas.networks.ctc import CtcRnn
from emonas.networks.parallel_gru import ParallelGru
from emonas.networks.pooling import mean_over_frames
from emonas.networks.recipes import RecipeLayer
from emonas.networks.recurrent import LibraryLayers
from emonas.networks.sequence_encoder import SequenceEncoder
from emonas.networks.speaker_encoder import SpeakerEncoder
from emonas.networks.streams import Output, Stream, side_by_side
from emonas.networks.task_network import TaskNetwork
from emonas.networks.towers import DomainTowers
from emonas.networks.transformers_encoder import TransformersEncoder
from emonas.networks.whisper_encoder import TunedWhisperEncoder
from emonas.storage.predictions import EMOTION


class LeftOutError(Exception):
    """The system can't be one graph; says why, as the end of a sentence."""


def first_line(error: Exception) -> str:
    """Of what a library says, as much as a sentence can hold."""
    return next(iter(str(error).strip().splitlines()), "")[:200]


def traceable(network: nn.Module) -> nn.Module:
    """A copy of a network, in evaluation, whose parts are stand-ins where they need any.

    Raises:
        LeftOutError: a part has none.
    """
    copied = copy.deepcopy(network).cpu().eval().requires_grad_(False)
    for module in list(copied.modules()):
        if isinstance(module, SpeakerEncoder):
            raise LeftOutError(
                "GE2E's encoder inside it cuts each utterance into windows, and how many depends "
                "on its length"
            )
        for name, child in list(module.named_children()):
            if isinstance(child, nn.RNNBase):
                setattr(module, name, of_library(child))
            elif isinstance(child, ParallelGru):
                setattr(module, name, OnnxParallel(child))
        _PREPARED.get(type(module), lambda _: None)(module)
        for method, stand_in in _METHODS.get(type(module), {}).items():
            setattr(module, method, MethodType(stand_in, module))
    return copied


@contextmanager
def lengths_alike() -> Iterator[None]:
    """Inside, streams that must have the same lengths are taken to have them: while a network is
    traced, there are no numbers to compare.
    """
    with _Alike():
        yield


class _Alike(TorchFunctionMode):
    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        return True if func is torch.equal else func(*args, **(kwargs or {}))


def _library_layers(layers: LibraryLayers, frames: Tensor) -> Tensor:
    states: Tensor = layers.cells(frames, None)[0]
    return states


def _bidirectional(layers: BidirectionalLayers, stream: Stream) -> Tensor:
    states: Tensor = layers.cells(*stream)[0]
    return states


def _sequence_encoder(encoder: SequenceEncoder, stream: Stream) -> Tensor:
    mask = stream.mask
    frames = stream.frames.masked_fill(~mask[..., None], 0.0).transpose(1, 2)
    grams = (encoder.narrow(frames) + encoder.wide(frames)).transpose(1, 2)
    states, last = encoder.cells(grams, stream.lengths)
    vector: Tensor = encoder.attention(torch.cat([last[0], last[1]], dim=1), states, mask)
    return vector


def _convolutional(network: ConvolutionalRecurrent, stream: Stream) -> Output:
    _, last = network.cells(*network.convolutions(stream))
    embedding = network.dense(torch.cat([last[0], last[1]], dim=1))
    return Output(network.classifier(embedding), embedding)


def _ctc(network: CtcRnn, *streams: Stream) -> Output:
    stream = side_by_side(streams)
    scores, states = network.frames(stream)
    logs = scores.log_softmax(dim=2)
    logits = sequence_likelihoods(logs, stream.lengths, network._labels)
    return Output(logits, mean_over_frames(Stream(states, stream.lengths)))


def _domain_towers(towers: DomainTowers, vectors: Tensor, domain: int) -> Tensor:
    own, columns = towers.towers[domain](vectors), towers._columns[domain]
    never = torch.full_like(own[:, :1], float("-inf"))
    places = [columns.index(n) if n in columns else None for n in range(towers._classes)]
    return torch.cat([never if p is None else own[:, p : p + 1] for p in places], dim=1)


def _emotion_alone(network: TaskNetwork, stream: Stream) -> Output:
    encoded = network.encoder(stream)
    embedding = mean_over_frames(Stream(encoded.last, encoded.lengths))
    return Output(network.heads[EMOTION](embedding), embedding)


_METHODS: dict[type[nn.Module], dict[str, Callable[..., Any]]] = {
    LibraryLayers: {"forward": _library_layers},
    RecipeLayer: {"forward": recipe_layer},
    BidirectionalLayers: {"forward": _bidirectional},
    SequenceEncoder: {"forward": _sequence_encoder},
    ConvolutionalRecurrent: {"forward": _convolutional},
    CtcRnn: {"forward": _ctc},
    DomainTowers: {"forward": _domain_towers},
    TaskNetwork: {"forward": _emotion_alone},
    TransformersEncoder: {"forward": transformers_encoder},
    TunedWhisperEncoder: {"_log_mels": log_mels},
}
_PREPARED: dict[type[nn.Module], Callable[[Any], None]] = {
    TransformersEncoder: prepare_encoder,
    TunedWhisperEncoder: prepare_whisper,
}
