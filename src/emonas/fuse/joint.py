"""`joint: true`: the streams' networks are trained on together with their fusion."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from torch import nn

from emonas.fuse.options import FusionOptions
from emonas.fuse.sources import Sources, fusion_network
from emonas.kinds import kind_options
from emonas.learning.batches import Examples
from emonas.networks.fusion import JointNetwork
from emonas.storage.folds import read_part
from emonas.storage.weights import read_weights
from emonas.systems.data import load_examples, network_shape
from emonas.systems.material import FeaturePaths, Material, feature_files
from emonas.systems.trained import TrainedFiles, load_network, load_normaliser


@dataclass(frozen=True)
class JointInputs:
    """The trained streams by name, the feature files that they hear, and the lists of all that
    is predicted, by part.
    """

    streams: Mapping[str, TrainedFiles]
    features: FeaturePaths
    parts: Mapping[str, Path]

    @property
    def paths(self) -> list[Path]:
        """All files."""
        found = [path for stream in self.streams.values() for path in stream.paths]
        return [*self.parts.values(), *feature_files(self.features), *found]


def trained_streams(
    streams: Mapping[str, Mapping[str, Any]],
    folders: Mapping[str, Path],
    genotypes: Mapping[str, Any],
) -> dict[str, TrainedFiles]:
    """The trained streams from plain values: options and whether each is the searched network
    itself, the folder of its files, and its genotype where it has one.
    """
    return {
        name: TrainedFiles(
            system=kind_options("network", stream["system"]),
            weights=folders[name] / "weights.safetensors",
            genotype=Path(genotypes[name]) if name in genotypes else None,
            searched=stream["searched"],
        )
        for name, stream in streams.items()
    }


def joint_sources(options: FusionOptions, inputs: JointInputs) -> Sources:
    """The streams' features, and a network of the streams as trained and a new fusion.

    Raises:
        EmonasError: a file is damaged.
    """
    tables = {part: read_part(path) for part, path in inputs.parts.items()}
    classes = tuple(sorted(tables["train"]["label"].unique()))
    files = [inputs.streams[name] for name in options.fuse]
    heard = [
        {
            part: stream_examples(table, classes, entry, inputs.features)
            for part, table in tables.items()
        }
        for entry in files
    ]
    networks = [
        load_network(
            entry,
            network_shape(
                entry.system,
                Material(inputs.features),
                classes,
                tables["train"]["domain"],
                tables["train"]["label"],
            ),
        )
        for entry in files
    ]
    fusion = fusion_network(
        options,
        tuple(_embedding_width(n, e["train"]) for n, e in zip(networks, heard, strict=True)),
        len(classes),
    )
    counts = tuple(len(examples["train"].streams) for examples in heard)
    return Sources(
        network=JointNetwork(networks, counts, fusion),
        classes=classes,
        examples={part: side_by_side([examples[part] for examples in heard]) for part in tables},
        tables=tables,
    )


def stream_examples(
    table: pd.DataFrame, classes: tuple[str, ...], files: TrainedFiles, features: FeaturePaths
) -> Examples:
    """What a trained stream hears of the utterances of a part, standardised as it learnt them."""
    examples = load_examples(table, classes, files.system.inputs, features)
    return load_normaliser(read_weights(files.weights))(examples)


def side_by_side(heard: Sequence[Examples]) -> Examples:
    """The examples of all streams as those of one network."""
    streams = tuple(stream for examples in heard for stream in examples.streams)
    return Examples(streams, heard[0].labels)


@torch.no_grad()
def _embedding_width(network: nn.Module, examples: Examples) -> int:
    width: int = network.eval()(*examples.take([0]).batch().streams).embedding.shape[1]
    return width
