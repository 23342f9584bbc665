"""What a fusion learns from: the outputs of its streams as they were trained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from torch import nn

from emonas.errors import EmonasError, make_again
from emonas.fuse.options import FusionOptions
from emonas.learning.batches import Examples
from emonas.networks.fusion import (
    Concatenation,
    DecisionPerceptron,
    Elementwise,
    FusionClassifier,
    InformationSupplement,
)
from emonas.storage.folds import PARTS
from emonas.storage.predictions import Predictions, read_predictions


@dataclass(frozen=True)
class Sources:
    """A network to train, with examples and the table of utterances of each part."""

    network: nn.Module
    classes: tuple[str, ...]
    examples: dict[str, Examples]
    tables: dict[str, pd.DataFrame]


def frozen_sources(
    options: FusionOptions, predictions: Mapping[str, Path], parts: Sequence[str] = PARTS
) -> Sources:
    """The streams' embeddings, or for the perceptron their probabilities, and the fusion alone.

    Raises:
        EmonasError: the streams do not hold the same utterances, or a file is damaged.
    """
    streams = {part: _streams(options, predictions, part) for part in parts}
    first = streams[parts[0]][0]
    examples = {part: fused_examples(options, streams[part], first.classes) for part in parts}
    widths = tuple(stream[0].shape[1] for stream in examples[parts[0]].streams)
    return Sources(
        network=fusion_network(options, widths, len(first.classes)),
        classes=first.classes,
        examples=examples,
        tables={part: _table(streams[part][0]) for part in parts},
    )


def fusion_network(options: FusionOptions, widths: tuple[int, ...], classes: int) -> nn.Module:
    """The fusion of streams whose embeddings have the given widths."""
    if options.method == "perceptron":
        return DecisionPerceptron(len(options.fuse), classes)
    if options.method == "concat":
        return FusionClassifier(Concatenation(widths), classes)
    dominant = options.dominant_index
    if options.method == "ism":
        return FusionClassifier(InformationSupplement(widths, dominant), classes)
    return FusionClassifier(Elementwise(widths, dominant, options.method), classes)


def _streams(
    options: FusionOptions, predictions: Mapping[str, Path], part: str
) -> list[Predictions]:
    """The streams' predictions for one part, in the order of the settings."""
    streams = [read_predictions(predictions[name], part) for name in options.fuse]
    for name, stream in zip(options.fuse, streams, strict=True):
        if _heard(stream) != _heard(streams[0]):
            raise EmonasError(
                f"{predictions[name]}: other utterances, labels or classes in {part} than "
                f"{predictions[options.fuse[0]]}; {make_again(predictions[name])}"
            )
    return streams


def _heard(stream: Predictions) -> tuple[tuple[str, ...], ...]:
    return stream.corpora, stream.utterances, stream.labels, stream.classes


def fused_examples(
    options: FusionOptions, streams: Sequence[Predictions], classes: tuple[str, ...]
) -> Examples:
    """What a fusion of frozen streams hears: their embeddings, or for the perceptron their
    probabilities, each stream's as one vector an utterance.
    """
    numbers = {name: number for number, name in enumerate(classes)}
    labels = [numbers.get(label, -1) for label in streams[0].labels]
    values = [
        stream.probabilities if options.method == "perceptron" else stream.embedding
        for stream in streams
    ]
    arrays = tuple([row[None] for row in value] for value in values)
    return Examples(arrays, np.asarray(labels, dtype=np.int64))


def _table(stream: Predictions) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "utterance": stream.utterances,
            "corpus": stream.corpora,
            "label": stream.labels,
            "domain": stream.each_domain,
        }
    )
