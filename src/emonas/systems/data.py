"""How feature files and a fold's parts become examples."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
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
    fit_normaliser,
    statistics,
)
from emonas.systems.options import InputOptions, SystemOptions
from emonas.systems.shapes import NetworkShape, classes_by_domain, knows_domains

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

    `shape` is that of the network to learn; `validation` is None where the protocol validates on
    nobody.
    """

    classes: tuple[str, ...]
    shape: NetworkShape
    train: Examples
    validation: Examples | None
    normaliser: Normaliser

    @property
    def domains(self) -> tuple[str, ...]:
        """The domains in the order of their numbers; none where they are not told apart."""
        return tuple(self.shape.domains)


def load_fold(
    options: SystemOptions, features: FeaturePaths, train: Path, validation: Path
) -> FoldData:
    """Read training and validation part, standardised by the training part.

    The classes are those of the training part, and so are those of each domain; a validation
    utterance of another class is left out, because nothing can learn it.

    Raises:
        EmonasError: the training part, or a domain of it that is told apart, has fewer than two
            classes.
    """
    return _fold(options, features, train, read_part(train), read_part(validation))


def load_whole_fold(
    options: SystemOptions, features: FeaturePaths, train: Path, validation: Path
) -> FoldData:
    """Read both parts as one that is learnt from, standardised by itself; nobody validates.

    Raises:
        EmonasError: both together, or a domain that is told apart, have fewer than two classes.
    """
    both = pd.concat([read_part(train), read_part(validation)], ignore_index=True)
    return _fold(options, features, train, both, both.head(0))


def _fold(
    options: SystemOptions,
    features: FeaturePaths,
    path: Path,
    table: pd.DataFrame,
    others: pd.DataFrame,
) -> FoldData:
    """What is learnt from `table`, which is read from `path`, and validated on `others`."""
    if table["label"].nunique() < 2:
        raise EmonasError(
            f"{path}: there is one class only, {', '.join(table['label'].unique())}; give the "
            "protocol labels, or folds, with which at least two classes can be learnt"
        )
    classes = tuple(sorted(table["label"].unique()))
    shape = network_shape(options, features, classes, table["domain"], table["label"])
    _refuse_lone_classes(path, shape, classes)
    domains = tuple(shape.domains)
    examples = load_examples(table, classes, options.inputs, features, domains)
    normaliser = Normaliser()
    if options.normalise == "feature":
        manners = [stream.entry.normalise for stream in _heard(options.inputs, features)]
        normaliser = fit_normaliser(examples, manners)
    held = _learnable(others, shape, classes)
    return FoldData(
        classes=classes,
        shape=shape,
        train=normaliser(examples),
        validation=normaliser(load_examples(held, classes, options.inputs, features, domains))
        if len(held)
        else None,
        normaliser=normaliser,
    )


def _refuse_lone_classes(path: Path, shape: NetworkShape, classes: Sequence[str]) -> None:
    for domain, numbers in shape.domains.items():
        if len(numbers) < 2:
            raise EmonasError(
                f"{path}: of domain {domain or 'all'} there is one class only, "
                f"{classes[numbers[0]]}, so that there is nothing to tell apart; give the protocol "
                "labels with at least two classes in every domain, or leave its corpora out"
            )


def network_shape(
    options: SystemOptions,
    features: FeaturePaths,
    classes: Sequence[str],
    domains: Iterable[str],
    labels: Iterable[str],
) -> NetworkShape:
    """The shape of a system's network, by its feature files and by the domain and label of each
    utterance of the training part.
    """
    heard = list(_heard(options.inputs, features))
    return NetworkShape(
        widths=tuple(stream.width for stream in heard),
        classes=len(classes),
        names=tuple(stream.name for stream in heard),
        vectors=tuple(stream.vector for stream in heard),
        domains=classes_by_domain(domains, labels, classes) if knows_domains(options) else {},
    )


class _Heard(NamedTuple):
    """A stream, as its input asks for it and its file has it."""

    entry: InputOptions
    name: str
    width: int
    vector: bool


def _heard(inputs: Sequence[InputOptions], features: FeaturePaths) -> Iterator[_Heard]:
    for entry in inputs:
        with FeatureFile(features[entry.feature][min(features[entry.feature])]) as file:
            layers = entry.layers or file.facts.layers
            for name in [f"{entry.feature}.{layer}" for layer in layers] or [entry.feature]:
                width = 2 * file.width if entry.statistics else file.width
                yield _Heard(entry, name, width, entry.statistics or file.of_vectors)


def _learnable(table: pd.DataFrame, shape: NetworkShape, classes: Sequence[str]) -> pd.DataFrame:
    """The utterances of a class that is known, in their domain where domains are told apart."""
    known = table["label"].isin(classes)
    if shape.domains:
        named = {d: {classes[n] for n in numbers} for d, numbers in shape.domains.items()}
        known = pd.Series(
            [
                label in named.get(domain, ())
                for label, domain in zip(table["label"], table["domain"], strict=True)
            ],
            index=table.index,
            dtype=bool,
        )
    return table[known]


def load_examples(
    table: pd.DataFrame,
    classes: Sequence[str],
    inputs: Sequence[InputOptions],
    features: FeaturePaths,
    domains: Sequence[str] = (),
) -> Examples:
    """Read the utterances of a part, and no other's frames; an unknown class has number -1.

    Raises:
        EmonasError: domains are told apart, and an utterance is of none that was learnt from.
    """
    numbers = {name: number for number, name in enumerate(classes)}
    labels = np.asarray([numbers.get(label, -1) for label in table["label"]], dtype=np.int64)
    streams = tuple(stream for entry in inputs for stream in _streams(table, entry, features))
    return Examples(streams, labels, _domain_numbers(table, domains) if domains else None)


def _domain_numbers(table: pd.DataFrame, domains: Sequence[str]) -> npt.NDArray[np.int64]:
    if unknown := sorted(set(table["domain"]) - set(domains)):
        raise EmonasError(
            f"domain {unknown[0]}: no utterance of it is in the training part, so that there is "
            f"nothing to predict its utterances with; there are {', '.join(domains)}"
        )
    return np.asarray([domains.index(domain) for domain in table["domain"]], dtype=np.int64)


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
        for file in files.values():
            _refuse_constant(entry, file)
        for layer in entry.layers or (there[0] if there else ()) or (None,):
            stream: list[StoredArray] = [np.zeros((0, 0), np.float32)] * len(table)
            for corpus, numbers in rows.items():
                names = [table["utterance"].iloc[number] for number in numbers]
                for number, frames in zip(
                    numbers, files[corpus].read_many(names, layer), strict=True
                ):
                    stream[number] = _prepared(frames, entry)
            yield stream


def _refuse_constant(entry: InputOptions, file: FeatureFile) -> None:
    """Refuse what would leave nothing of a feature of one vector: its deviation is 0."""
    if entry.normalise == "utterance" and file.of_vectors:
        raise EmonasError(
            f"{file.path}: {entry.feature} has one vector an utterance, which normalise: utterance "
            "would make zero; leave normalise out of the input"
        )


def _prepared(frames: StoredArray, entry: InputOptions) -> StoredArray:
    """An utterance's frames as the input wants them; no other utterance has a say."""
    if entry.pool > 1:
        frames = pooled(frames, entry.pool)
    if entry.normalise == "utterance":
        frames = by_utterance(frames)
    return statistics(frames) if entry.statistics else frames
