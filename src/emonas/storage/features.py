"""`results/features/{corpus}/{feature}.h5`: one flat array of frames with offsets.

`frames` is a dataset (total frames, features), or where there are layers a group with such a
dataset a layer, named by the layer; utterance i owns the rows offsets[i] to offsets[i + 1]. The
datasets are contiguous: reading one is reading a piece of a plain file. `sums` (layers or 1,
utterances) tells a changed byte in frames, the file's digest one elsewhere.
"""

import errno
import json
import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

import h5py
import numpy as np
import numpy.typing as npt

from emonas.errors import DamagedFileError, EmonasError, make_again
from emonas.storage.hdf5 import (
    own_dataset,
    read_names,
    read_text_attribute,
    whole_hdf5,
    write_names,
    write_text_attribute,
)
from emonas.storage.runs import runs_of
from emonas.storage.sealing import check_seal, seal, word_sums

Array = npt.NDArray[np.float32]
StoredArray = npt.NDArray[np.float32 | np.float16]
"""Frames in the precision of the file; whoever computes with them makes them float32."""

Precision = Literal["float32", "float16"]


@dataclass(frozen=True)
class FeatureFacts:
    """How a feature was made.

    Attributes:
        extractor: the extractor's name.
        options: its options.
        frame_rate: frames a second; 0 where there is one vector an utterance.
        layers: names of the layers; empty where there are none.
        checkpoint: SHA-256 of the pretrained weights; empty where there are none.
        code: digest of the code that extracted.
        digest: digest of everything in the settings that the feature depends on.
        store: precision of the numbers in the file.
    """

    extractor: str
    options: Mapping[str, Any]
    frame_rate: float
    layers: tuple[str, ...] = ()
    checkpoint: str = ""
    code: str = ""
    digest: str = ""
    store: Precision = "float32"


_PRECISIONS: Mapping[str, Precision] = {"float32": "float32", "float16": "float16"}
_TEXT_FACTS = ("extractor", "checkpoint", "code", "digest")

FRAMES_AT_ONCE = 2**13


class FeatureWriter:
    """Collects utterances of a feature file; saved when it is whole."""

    def __init__(self, facts: FeatureFacts) -> None:
        self.facts = facts
        self.lengths: dict[str, int] = {}
        self._arrays: list[npt.NDArray[Any]] = []
        self.bytes = 0

    def append(self, utterance: str, frames: Array) -> None:
        """Append one utterance: (frames, features), or (layers, frames, features).

        Raises:
            ValueError: the width or the number of layers is not that of the file.
            OverflowError: a number is too large for the file's precision.
        """
        layers = frames if self.facts.layers else frames[None]
        if layers.ndim != 3:
            raise ValueError(f"{utterance}: shape {frames.shape} fits no feature file")
        if len(layers) != max(1, len(self.facts.layers)):
            raise ValueError(f"{utterance}: {len(layers)} layers, not {len(self.facts.layers)}")
        if self._arrays and layers.shape[2] != self._arrays[0].shape[2]:
            width = self._arrays[0].shape[2]
            raise ValueError(f"{utterance}: width {layers.shape[2]}, not {width}")
        with np.errstate(over="ignore"):
            stored = layers.astype(self.facts.store, copy=False)
        narrower = stored.dtype.itemsize < layers.dtype.itemsize
        if narrower and np.isinf(stored).any() and np.isfinite(layers).all():
            raise OverflowError(f"{utterance}: too large for {self.facts.store}")
        self._arrays.append(stored)
        self.lengths[utterance] = stored.shape[1]
        self.bytes += stored.nbytes

    def save(self, path: Path, order: Sequence[str] | None = None) -> None:
        """Write everything that was collected as a feature file.

        Args:
            path: the file.
            order: the names of all utterances in the order of the file; by default that in which
                they came.

        Raises:
            EmonasError: an utterance was not collected, or there is no room.
        """
        arrays = dict(zip(self.lengths, self._arrays, strict=True))
        lengths = _in_order(path, self.lengths, self.lengths if order is None else order)
        width = self._arrays[0].shape[2] if self._arrays else None
        with whole_hdf5(path) as (file, check):
            sums = _make_sums(self.facts, lengths)
            for layer, dataset in enumerate(_lay_out(file, self.facts, lengths, width)):
                start = first = 0
                for names in _pieces(lengths):
                    block = np.concatenate([arrays[name][layer] for name in names])
                    dataset[start : start + len(block)] = block
                    counts = [lengths[name] for name in names]
                    sums[layer, first : first + len(names)] = word_sums(block, counts)
                    start, first = start + len(block), first + len(names)
                check()
            _seal(file, sums)


@contextmanager
def write_features(path: Path, facts: FeatureFacts) -> Iterator[FeatureWriter]:
    """Give a writer whose file takes its name when the block ends well."""
    writer = FeatureWriter(facts)
    yield writer
    writer.save(path)


def join_features(
    path: Path, facts: FeatureFacts, parts: Sequence[Path], order: Sequence[str]
) -> None:
    """Write one feature file from several, its utterances in the given order.

    One part is open at a time, because there may be more than a process may open.

    Raises:
        EmonasError: a part is damaged or of another width, none holds an utterance, or there is
            no room.
    """
    holders, lengths, width = _contents(parts)
    lengths = _in_order(path, lengths, order)
    members: dict[Path, list[int]] = {}
    for row, name in enumerate(order):
        members.setdefault(holders[name], []).append(row)
    counts = list(lengths.values())
    starts = np.cumsum([0, *counts])
    with whole_hdf5(path) as (file, check):
        sums = _make_sums(facts, lengths)
        datasets = _lay_out(file, facts, lengths, width)
        for part, rows in members.items():
            with FeatureFile(part) as source:
                for number, dataset in enumerate(datasets):
                    layer = facts.layers[number] if facts.layers else None
                    frames = iter(source.read_many([order[row] for row in rows], layer))
                    for first, last in runs_of(rows):
                        block = np.concatenate(list(islice(frames, last + 1 - first)))
                        dataset[starts[first] : starts[last + 1]] = block
                        these = slice(first, last + 1)
                        sums[number, these] = word_sums(block, counts[these])
                    check()
        _seal(file, sums)


def _in_order(path: Path, lengths: Mapping[str, int], order: Collection[str]) -> dict[str, int]:
    """The utterances' lengths in the order of the file."""
    for name in order:
        if name not in lengths:
            raise EmonasError(f"{path}: no part of it holds {name}; run again to extract it")
    return {name: lengths[name] for name in order}


def _pieces(lengths: Mapping[str, int]) -> Iterator[list[str]]:
    """Give the names in their order, so many at a time that what is joined stays small."""
    names, frames = list[str](), 0
    for name, length in lengths.items():
        names.append(name)
        frames += length
        if frames > FRAMES_AT_ONCE:
            yield names
            names, frames = [], 0
    if names:
        yield names


def _contents(parts: Sequence[Path]) -> tuple[dict[str, Path], dict[str, int], int]:
    """The part that holds each utterance, the utterances' lengths, and the width of all."""
    holders: dict[str, Path] = {}
    lengths: dict[str, int] = {}
    widths: dict[int, str] = {}
    for part in parts:
        with FeatureFile(part) as file:
            holders |= dict.fromkeys(file.utterances, part)
            lengths |= {name: file.length(name) for name in file.utterances}
            widths.setdefault(file.width, f"{part}: {file.utterances[0]}")
    if len(widths) > 1:
        told = ", but ".join(f"{where} has {width}" for width, where in widths.items())
        raise EmonasError(
            f"{told} features a frame; correct what they are extracted from, delete these files, "
            "and run again"
        )
    return holders, lengths, next(iter(widths), 0)


def _dataset_names(facts: FeatureFacts) -> list[str]:
    return [f"frames/{layer}" for layer in facts.layers] or ["frames"]


def _lay_out(
    file: h5py.File, facts: FeatureFacts, lengths: Mapping[str, int], width: int | None
) -> list[h5py.Dataset]:
    """Write offsets, names and attributes, and make room for the frames where there are any."""
    file["offsets"] = np.cumsum([0, *lengths.values()], dtype=np.int64)
    write_names(file, "utterances", lengths)
    file.attrs["frame_rate"] = facts.frame_rate
    for key in (*_TEXT_FACTS, "store"):
        write_text_attribute(file, key, getattr(facts, key))
    options = json.dumps(dict(facts.options), sort_keys=True)
    write_text_attribute(file, "options", options)
    write_text_attribute(file, "layers", json.dumps(facts.layers))
    if width is None:
        return []
    shape = sum(lengths.values()), width
    names = _dataset_names(facts)
    return [file.create_dataset(name, shape=shape, dtype=facts.store) for name in names]


def _make_sums(facts: FeatureFacts, lengths: Mapping[str, int]) -> npt.NDArray[np.uint64]:
    return np.zeros((max(1, len(facts.layers)), len(lengths)), np.uint64)


def _seal(file: h5py.File, sums: npt.NDArray[np.uint64]) -> None:
    file["sums"] = sums
    seal(file, unread="frames")


def _read_facts(file: h5py.File) -> FeatureFacts:
    texts = {key: read_text_attribute(file, key) for key in _TEXT_FACTS}
    return FeatureFacts(
        **texts,
        store=_PRECISIONS[read_text_attribute(file, "store")],
        options=json.loads(read_text_attribute(file, "options")),
        frame_rate=float(file.attrs["frame_rate"]),
        layers=tuple(json.loads(read_text_attribute(file, "layers"))),
    )


class FeatureFile:
    """A feature file open for reading.

    Args:
        path: the file.
        sealed: whether it is of our own jobs, and so has what tells damage.

    Raises:
        EmonasError: the file is missing or damaged.
    """

    def __init__(self, path: Path, *, sealed: bool = True) -> None:
        self.path = path
        try:
            self._file = h5py.File(path, "r")
        except OSError as error:
            raise self._unreadable(error) from error
        try:
            if sealed:
                check_seal(self._file, unread="frames")
            self._sums = own_dataset(self._file, "sums")[:] if sealed else None
            self.facts = _read_facts(self._file)
            self._offsets = own_dataset(self._file, "offsets")[:]
            names = read_names(self._file, "utterances")
            self._rows = {name: row for row, name in enumerate(names)}
            self._check()
        except (OSError, KeyError, ValueError, TypeError, AttributeError, RuntimeError) as error:
            self._file.close()
            raise self._unreadable(error) from error

    @property
    def utterances(self) -> tuple[str, ...]:
        """The names of all utterances, in the file's order."""
        return tuple(self._rows)

    @property
    def width(self) -> int:
        """How many features a frame has."""
        return int(self._dataset(self.facts.layers[0] if self.facts.layers else None).shape[1])

    @property
    def of_vectors(self) -> bool:
        """Whether every utterance has one vector, and no frames in time."""
        return self.facts.frame_rate == 0 and bool((np.diff(self._offsets) == 1).all())

    def length(self, utterance: str) -> int:
        """How many frames an utterance has.

        Raises:
            EmonasError: the file does not hold the utterance.
        """
        row = self._row(utterance)
        return int(self._offsets[row + 1] - self._offsets[row])

    def read(self, utterance: str, layer: str | None = None) -> StoredArray:
        """Read one utterance as (frames, features), in the precision of the file.

        Raises:
            EmonasError: the file does not hold the utterance or the layer.
        """
        return self.read_many([utterance], layer)[0]

    def read_many(self, utterances: Sequence[str], layer: str | None = None) -> list[StoredArray]:
        """Read utterances as (frames, features) each, in the precision of the file.

        Neighbours in the file are read at once.

        Raises:
            EmonasError: the file does not hold an utterance or the layer, or is damaged there.
        """
        dataset = self._dataset(layer)
        rows = sorted({self._row(utterance) for utterance in utterances})
        found: dict[int, StoredArray] = {}
        for first, last in runs_of(rows):
            start = self._offsets[first]
            try:
                block = dataset[start : self._offsets[last + 1]]
            except OSError as error:
                raise self._unreadable(error) from error
            self._check_sums(block, first, last, layer)
            for row in range(first, last + 1):
                found[row] = block[self._offsets[row] - start : self._offsets[row + 1] - start]
        return [found[self._rows[utterance]] for utterance in utterances]

    def _check_sums(self, block: StoredArray, first: int, last: int, layer: str | None) -> None:
        if self._sums is None:
            return
        wanted = self._sums[self.facts.layers.index(layer) if layer else 0, first : last + 1]
        found = word_sums(block, np.diff(self._offsets[first : last + 2]))
        if (found != wanted).any():
            name = self.utterances[first + int((found != wanted).argmax())]
            raise DamagedFileError(self.path, f"the frames of {name} are not those written")

    def _row(self, utterance: str) -> int:
        row = self._rows.get(utterance)
        if row is None:
            raise EmonasError(
                f"{self.path}: holds no utterance {utterance}; {make_again(self.path)}"
            )
        return row

    def _check(self) -> None:
        """Hold names, offsets and frames against each other."""
        if len(self._offsets) != len(self._rows) + 1 or np.diff(self._offsets, prepend=0).min() < 0:
            raise ValueError("offsets and utterances do not agree")
        for name in _dataset_names(self.facts):
            frames = own_dataset(self._file, name)
            if frames.ndim != 2 or frames.shape[0] != self._offsets[-1]:
                raise ValueError("offsets and frames do not agree")

    def _unreadable(self, error: Exception) -> EmonasError:
        """What the system refuses (a number) may be whole; what HDF5 does not understand is not."""
        if isinstance(error, OSError) and error.errno not in (None, errno.ENOENT):
            return EmonasError(
                f"{self.path}: can't be read ({os.strerror(error.errno)}); mend that and run again"
            )
        return DamagedFileError(self.path, f"this is no whole feature file ({error})")

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
