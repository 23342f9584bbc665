"""The networks of one fold of an exported system."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from emonas.export.contract import ExportedModel, ExportedSystem, read_shape
from emonas.fuse.joint import side_by_side, stream_examples
from emonas.fuse.options import FusionOptions
from emonas.fuse.sources import fused_examples, fusion_network
from emonas.kinds import kind_options
from emonas.networks.fusion import JointNetwork
from emonas.storage.weights import read_weights
from emonas.systems.material import FeaturePaths, Material
from emonas.systems.options import InputOptions
from emonas.systems.outputs import predict_part
from emonas.systems.predicting import Hearing, predict_table
from emonas.systems.trained import TrainedFiles, load_network, load_normaliser, take_weights

if TYPE_CHECKING:
    import pandas as pd
    import torch
    from torch import nn

    from emonas.checkpoints.checkpoint import Checkpoint
    from emonas.learning.batches import Examples
    from emonas.storage.predictions import Predictions
    from emonas.systems.shapes import NetworkShape


MISFITS = (ImportError, KeyError, RuntimeError, TypeError, ValueError)
"""What is raised where files do not fit together that another version wrote, or a person."""


class FoldNetworks:
    """What one fold's training left: a network, or streams and their fusion.

    Raises:
        EmonasError: a file is damaged, or weights are of another network.
        One of MISFITS: the files do not fit together otherwise.
    """

    def __init__(
        self,
        folder: Path,
        fold: str,
        model: ExportedModel,
        checkpoints: Mapping[str, Checkpoint],
        device: torch.device,
    ) -> None:
        self.classes = model.folds[fold]
        self._device = device
        self.heads = {
            name: TrainedNetwork(
                folder / fold / name, system, model, self.classes, checkpoints, device
            )
            for name, system in model.trained.items()
        }
        last = model.systems[model.system]
        self.fusion = (
            FusedNetwork(folder / fold / model.system, last, self.heads, self.classes)
            if last.fuses
            else None
        )

    def predict(self, features: FeaturePaths, table: pd.DataFrame) -> Predictions:
        """The predictions for the utterances of a table, whose features are in files.

        Raises:
            EmonasError: a feature file is damaged, or of another width than the network hears.
        """
        if self.fusion is None:
            (head,) = self.heads.values()
            return head.predict(features, table)
        examples = self.fusion.examples(features, table)
        return predict_part(
            self.fusion.network.to(self._device),
            table,
            examples,
            self.classes,
            self.fusion.options.training.batch,
            self._device,
        )


class TrainedNetwork:
    """A trained network with its normaliser."""

    def __init__(
        self,
        folder: Path,
        system: ExportedSystem,
        model: ExportedModel,
        classes: tuple[str, ...],
        checkpoints: Mapping[str, Checkpoint],
        device: torch.device,
    ) -> None:
        genotype = folder / "genotype.json"
        checkpoint = None if system.checkpoint is None else checkpoints[system.checkpoint].path
        self.files = TrainedFiles(
            system=kind_options("network", system.options),
            weights=folder / "weights.safetensors",
            genotype=genotype if genotype.exists() else None,
            searched=system.searched,
        )
        self.shape: NetworkShape = read_shape(folder / "shape.json", checkpoint)
        self.network: nn.Module = load_network(self.files, self.shape).to(device)
        self.normaliser = load_normaliser(read_weights(self.files.weights))
        self.heard: list[tuple[InputOptions, str | None]] = [
            (entry, layer)
            for entry in self.files.system.inputs
            for layer in entry.layers or model.features[entry.feature].layers or (None,)
        ]
        """Of each stream the input that asks for it, and its feature's layer."""
        self._classes = classes
        self._device = device

    def predict(self, features: FeaturePaths, table: pd.DataFrame) -> Predictions:
        """The predictions for the utterances of a table, whose features are in files."""
        material = Material(features, checkpoint=self.shape.checkpoint)
        hearing = Hearing(self.files.system, material, self._classes, self.normaliser, self.shape)
        return predict_table(self.network, hearing, table, self._device)


class FusedNetwork:
    """A fusion of streams that stay as they were, or that were trained on with it."""

    def __init__(
        self,
        folder: Path,
        system: ExportedSystem,
        streams: Mapping[str, TrainedNetwork],
        classes: tuple[str, ...],
    ) -> None:
        self.options = FusionOptions.model_validate(system.options)
        self._streams: Sequence[TrainedNetwork] = [streams[name] for name in self.options.fuse]
        self._classes = classes
        shape = read_shape(folder / "shape.json", None)
        self.last: nn.Module = fusion_network(self.options, shape.widths, len(classes))
        self.network = self.last
        if self.options.joint:
            counts = tuple(len(stream.shape.widths) for stream in self._streams)
            networks = [stream.network for stream in self._streams]
            self.network = JointNetwork(networks, counts, self.last)
        take_weights(self.network, folder / "weights.safetensors")

    def examples(self, features: FeaturePaths, table: pd.DataFrame) -> Examples:
        """What the fusion hears."""
        if self.options.joint:
            return side_by_side(
                [
                    stream_examples(table, self._classes, stream.files, features)
                    for stream in self._streams
                ]
            )
        heard = [stream.predict(features, table) for stream in self._streams]
        return fused_examples(self.options, heard, self._classes)
