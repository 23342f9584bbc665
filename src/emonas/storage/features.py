"""`results/features/{corpus}/{feature}.h5`: one flat array of frames with offsets.

`frames` is a dataset (total frames, features), or where there are layers a group with such a
dataset a layer, named by the layer; utterance i owns the rows offsets[i] to offsets[i + 1].
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import h5py
import numpy as np
import numpy.typing as npt

from emonas.errors import EmonasError, make_again
from emonas.storage.atomic import whole_file

Array = npt.NDArray[np.float32]


@dataclass(frozen=True)
class FeatureFacts:
    """How a feature was made; `frame_rate` in Hz, 0 where there is one vector an utterance."""

    extractor: str
    options: Mapping[str, Any]
    frame_rate: float
    layers: tuple[str, ...] = ()
    checkpoint: str = ""
    code: str = ""


class FeatureWriter:
    """Appends utterances to a feature file; made by `write_features`."""

    def __init__(self, file: h5py.File, facts: FeatureFacts) -> None:
        self._file = file
        self._facts = facts
        self._offsets = [0]
        self._utterances: list[str] = []

    def append(self, utterance: str, frames: Array) -> None:
        """Append one utterance: (frames, features), or (layers, frames, features).

        Raises:
            ValueError: the width or the number of layers is not that of the file.
        """
        layers = frames if self._facts.layers else frames[None]
        if layers.ndim != 3:
            raise ValueError(f"{utterance}: shape {frames.shape} fits no feature file")
        for dataset, values in zip(self._datasets(layers.shape[2]), layers, strict=True):
            # HDF5 would broadcast a width of 1 silently.
            if dataset.shape[1] != values.shape[1]:
                raise ValueError(f"{utterance}: width {values.shape[1]}, not {dataset.shape[1]}")
            dataset.resize(self._offsets[-1] + values.shape[0], axis=0)
            dataset[self._offsets[-1] :] = values
        self._offsets.append(self._offsets[-1] + layers.shape[1])
        self._utterances.append(utterance)

    def finish(self) -> None:
        """Write offsets, names and attributes."""
        self._file["offsets"] = np.asarray(self._offsets, dtype=np.int64)
        self._file.create_dataset(
            "utterances", data=self._utterances, dtype=h5py.string_dtype("utf-8")
        )
        for key in ("extractor", "frame_rate", "checkpoint", "code"):
            self._file.attrs[key] = getattr(self._facts, key)
        self._file.attrs["options"] = json.dumps(dict(self._facts.options), sort_keys=True)
        self._file.attrs["layers"] = json.dumps(self._facts.layers)

    def _datasets(self, width: int) -> list[h5py.Dataset]:
        names = [f"frames/{layer}" for layer in self._facts.layers] or ["frames"]
        if names[0] not in self._file:
            # About a mebibyte a chunk: HDF5 reads whole chunks, and its cache holds one such.
            rows = max(1, 2**18 // width)
            for name in names:
                self._file.create_dataset(
                    name,
                    shape=(0, width),
                    maxshape=(None, width),
                    chunks=(rows, width),
                    dtype="float32",
                )
        return [self._file[name] for name in names]


@contextmanager
def write_features(path: Path, facts: FeatureFacts) -> Iterator[FeatureWriter]:
    """Give a writer whose file takes its name when the block ends well."""
    with whole_file(path) as temporary, h5py.File(temporary, "w") as file:
        writer = FeatureWriter(file, facts)
        yield writer
        writer.finish()


def _read_facts(file: h5py.File) -> FeatureFacts:
    attributes = file.attrs
    return FeatureFacts(
        extractor=str(attributes["extractor"]),
        options=json.loads(attributes["options"]),
        frame_rate=float(attributes["frame_rate"]),
        layers=tuple(json.loads(attributes["layers"])),
        checkpoint=str(attributes["checkpoint"]),
        code=str(attributes["code"]),
    )


class FeatureFile:
    """A feature file open for reading.

    Raises:
        EmonasError: the file is missing or damaged.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._file = h5py.File(path, "r")
        except OSError as error:
            raise self._damaged(error) from error
        try:
            self.facts = _read_facts(self._file)
            self._offsets = self._file["offsets"][:]
            names = self._file["utterances"].asstr()[:]
            self._rows = {name: row for row, name in enumerate(names)}
            self._check()
        except (OSError, KeyError, ValueError, TypeError, AttributeError) as error:
            self._file.close()
            raise self._damaged(error) from error

    @property
    def utterances(self) -> tuple[str, ...]:
        """The names of all utterances, in the file's order."""
        return tuple(self._rows)

    @property
    def width(self) -> int:
        """How many features a frame has."""
        return int(self._dataset(self.facts.layers[0] if self.facts.layers else None).shape[1])

    def read(self, utterance: str, layer: str | None = None) -> Array:
        """Read one utterance as (frames, features).

        Raises:
            EmonasError: the file does not hold the utterance or the layer.
        """
        row = self._rows.get(utterance)
        if row is None:
            raise EmonasError(
                f"{self.path}: holds no utterance {utterance}; {make_again(self.path)}"
            )
        rows = slice(self._offsets[row], self._offsets[row + 1])
        try:
            return np.asarray(self._dataset(layer)[rows], dtype=np.float32)
        except OSError as error:
            raise self._damaged(error) from error

    def _check(self) -> None:
        """Hold names, offsets and frames against each other."""
        if len(self._offsets) != len(self._rows) + 1 or np.any(np.diff(self._offsets) < 0):
            raise ValueError("offsets and utterances do not agree")
        for layer in self.facts.layers or (None,):
            frames = self._dataset(layer)
            if frames.ndim != 2 or frames.shape[0] != self._offsets[-1]:
                raise ValueError("offsets and frames do not agree")

    def _damaged(self, error: Exception) -> EmonasError:
        return EmonasError(
            f"{self.path}: this is no whole feature file ({error}); {make_again(self.path)}"
        )

    def _dataset(self, layer: str | None) -> h5py.Dataset:
        if (layer is None) == bool(self.facts.layers) or (
            layer is not None and layer not in self.facts.layers
        ):
            there = ", ".join(self.facts.layers) or "none"
            raise EmonasError(f"{self.path}: there is no layer {layer}; layers: {there}")
        return self._file["frames" if layer is None else f"frames/{layer}"]

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
