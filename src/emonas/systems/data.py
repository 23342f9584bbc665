"""How feature files and a fold's parts become examples."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from emonas.checkpoints.recorded import read_record
from emonas.errors import EmonasError, make_again
from emonas.learning.batches import Examples
from emonas.storage.features import FeatureFile, StoredArray
from emonas.storage.folds import read_part
from emonas.storage.frames import pooled
from emonas.systems.normalising import (
    Normaliser,
    by_utterance,
    fit_normalisers,
    normalise,
)
from emonas.systems.options import InputOptions, SystemOptions

FeaturePaths = Mapping[str, Mapping[str, Path]]
"""Paths of feature files, by feature and corpus."""


def feature_paths(features: Mapping[str, Mapping[str, Any]]) -> FeaturePaths:
    """Paths of feature files from plain values, each file held against its digests.

    Args:
        features: by feature, `corpora` with a path a corpus, the `digest` of everything in the
            settings that the feature depends on, and as `checkpoint` the record of its verified
            weights, empty where it needs none.

    Raises:
        EmonasError: a file is damaged, or was made with other options, weights or code; the
            record of the weights is missing; or a feature has other layers, another frame rate or
            width in one corpus than in another.
    """
    paths = {
        feature: {corpus: Path(path) for corpus, path in entry["corpora"].items()}
        for feature, entry in features.items()
    }
    for feature, entry in features.items():
        record = entry["checkpoint"]
        weights = read_record(Path(record)).digest if record else ""
        shapes = {
            corpus: _checked(path, entry["digest"], weights, record)
            for corpus, path in paths[feature].items()
        }
        if len(set(shapes.values())) > 1:
            told = "; ".join(f"{corpus}: {shape}" for corpus, shape in shapes.items())
            raise EmonasError(
                f"features.{feature}: differs between the corpora ({told}); write it alike for all"
            )
    return paths


def _checked(path: Path, digest: str, weights: str, record: str) -> str:
    """The shape of a file's features in words, if the file is that of the settings."""
    with FeatureFile(path) as file:
        facts, width = file.facts, file.width
    if facts.digest != digest:
        raise EmonasError(
            f"{path}: was made with other options, weights or code than the settings name; "
            f"{make_again(path)}"
        )
    if facts.checkpoint != weights:
        raise EmonasError(
            f"{path}: was made with other weights than those of {record or 'the settings'}; "
            f"{make_again(path)}"
        )
    return f"{len(facts.layers)} layers, {facts.frame_rate:g} frames a second, {width} features"


def feature_files(features: FeaturePaths) -> list[Path]:
    """All feature files, in the order of their names."""
    return [path for _, paths in sorted(features.items()) for _, path in sorted(paths.items())]


@dataclass(frozen=True)
class FoldData:
    """What a search or a training may see of a fold.

    `widths` has the features a frame of each stream. `validation` is None where the protocol
    validates on nobody.
    """

    classes: tuple[str, ...]
    widths: tuple[int, ...]
    train: Examples
    validation: Examples | None
    normalisers: tuple[Normaliser, ...]


def load_fold(
    options: SystemOptions, features: FeaturePaths, train: Path, validation: Path
) -> FoldData:
    """Read training and validation part, standardised by the training part.

    The classes are those of the training part; a validation utterance of another class is left
    out, because nothing can learn it.

    Raises:
        EmonasError: the training part has fewer than two classes.
    """
    table = read_part(train)
    classes = tuple(sorted(table["label"].unique()))
    if len(classes) < 2:
        raise EmonasError(
            f"{train}: there is one class only, {', '.join(classes)}; give the protocol "
            "labels, or folds, with which at least two classes can be learnt"
        )
    examples = load_examples(table, classes, options.inputs, features)
    normalisers = fit_normalisers(examples) if options.normalise == "feature" else ()
    held = read_part(validation)
    held = held[held["label"].isin(classes)]
    return FoldData(
        classes=classes,
        widths=tuple(stream[0].shape[1] for stream in examples.streams),
        train=normalise(examples, normalisers),
        validation=normalise(load_examples(held, classes, options.inputs, features), normalisers)
        if len(held)
        else None,
        normalisers=normalisers,
    )


def load_examples(
    table: pd.DataFrame,
    classes: Sequence[str],
    inputs: Sequence[InputOptions],
    features: FeaturePaths,
) -> Examples:
    """Read the utterances of a part, and no other's frames; an unknown class has number -1."""
    numbers = {name: number for number, name in enumerate(classes)}
    labels = np.asarray([numbers.get(label, -1) for label in table["label"]], dtype=np.int64)
    streams = tuple(stream for entry in inputs for stream in _streams(table, entry, features))
    return Examples(streams, labels)


def _streams(
    table: pd.DataFrame, entry: InputOptions, features: FeaturePaths
) -> Iterator[list[StoredArray]]:
    """A stream a layer that the input asks for; without layers, of all that there are."""
    rows: dict[str, list[int]] = {}
    for number, corpus in enumerate(table["corpus"]):
        rows.setdefault(corpus, []).append(number)
    with ExitStack() as stack:
        files = {
            corpus: stack.enter_context(FeatureFile(features[entry.feature][corpus]))
            for corpus in sorted(rows)
        }
        there = [file.facts.layers for file in files.values()]
        for layer in entry.layers or (there[0] if there else ()) or (None,):
            stream: list[StoredArray] = [np.zeros((0, 0), np.float32)] * len(table)
            for corpus, numbers in rows.items():
                names = [table["utterance"].iloc[number] for number in numbers]
                for number, frames in zip(
                    numbers, files[corpus].read_many(names, layer), strict=True
                ):
                    stream[number] = _prepared(frames, entry)
            yield stream


def _prepared(frames: StoredArray, entry: InputOptions) -> StoredArray:
    """An utterance's frames as the input wants them; no other utterance has a say."""
    if entry.pool > 1:
        frames = pooled(frames, entry.pool)
    return by_utterance(frames) if entry.normalise == "utterance" else frames
