"""How feature files and a fold's parts become examples."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from emonas.errors import EmonasError
from emonas.jobs import report_line
from emonas.learning.batches import Examples
from emonas.storage.features import FeatureFile, StoredArray
from emonas.storage.folds import read_part
from emonas.storage.frames import pooled
from emonas.storage.predictions import ASR
from emonas.systems.material import FeaturePaths, Material
from emonas.systems.normalising import (
    Normaliser,
    by_utterance,
    fit_normaliser,
    statistics,
)
from emonas.systems.options import InputOptions, SystemOptions
from emonas.systems.shapes import NetworkShape, classes_by_domain, knows_domains
from emonas.systems.task_targets import (
    Known,
    learnt_answers,
    other_tasks,
    read_known,
    targets,
    tells_emotions,
)


@dataclass(frozen=True)
class FoldData:
    """What a search or a training may see of a fold.

    `shape` is that of the network to learn; `validation` is None where the protocol validates on
    nobody. `scaled` are the examples that statistics are fitted to, before they are standardised,
    where these are not the training part.
    """

    classes: tuple[str, ...]
    shape: NetworkShape
    train: Examples
    validation: Examples | None
    normaliser: Normaliser
    scaled: Examples | None = None

    @property
    def domains(self) -> tuple[str, ...]:
        """The domains in the order of their numbers; none where they are not told apart."""
        return tuple(self.shape.domains)


def load_fold(
    options: SystemOptions,
    material: Material,
    train: Path,
    validation: Path,
    scaled_over: Sequence[Path] = (),
) -> FoldData:
    """Read training and validation part, standardised by the training part.

    The classes are those of the training part, and so are those of each domain; a validation
    utterance of another class is left out, because nothing can learn it. `scaled_over` are lists
    whose utterances are standardised by, too, which inflates scores: for measuring how much.

    Raises:
        EmonasError: the training part, or a domain of it that is told apart, has fewer than two
            classes, or of a task beside emotion fewer than two answers.
    """
    parts = read_part(train), read_part(validation)
    return _fold(options, material, train, *parts, scaled_over)


def load_whole_fold(
    options: SystemOptions,
    material: Material,
    train: Path,
    validation: Path,
    scaled_over: Sequence[Path] = (),
) -> FoldData:
    """Read both parts as one that is learnt from, standardised by itself; nobody validates.
    `scaled_over` is as of `load_fold`.

    Raises:
        EmonasError: as of `load_fold`, of both together.
    """
    both = pd.concat([read_part(train), read_part(validation)], ignore_index=True)
    return _fold(options, material, train, both, both.head(0), scaled_over)


def _fold(
    options: SystemOptions,
    material: Material,
    path: Path,
    table: pd.DataFrame,
    others: pd.DataFrame,
    scaled_over: Sequence[Path],
) -> FoldData:
    """What is learnt from `table`, which is read from `path`, and validated on `others`."""
    table = _without_long(options, material.features, path, table)
    classes = _classes(options, path, table)
    known = heard_answers(options, material, other_tasks(options), table)
    shape = replace(
        network_shape(options, material, classes, table["domain"], table["label"]),
        tasks=learnt_answers(options, path, table, known),
    )
    _refuse_lone_classes(path, shape, classes)
    examples = load_part(options, material, classes, shape, table)
    scaled = None
    if scaled_over:
        every = pd.concat([table, *map(read_part, scaled_over)], ignore_index=True)
        scaled = load_part(options, material, classes, shape, every)
    normaliser = Normaliser()
    if options.normalise == "feature":
        manners = [stream.entry.normalise for stream in _heard(options.inputs, material.features)]
        normaliser = fit_normaliser(examples if scaled is None else scaled, manners)
    held = _learnable(others, shape, classes) if classes else others
    validation = load_part(options, material, classes, shape, held) if len(held) else None
    _tell_unknown_characters(options, material, shape, held)
    if validation is not None and not classes:
        _refuse_unknown_answers(path, validation)
    return FoldData(
        classes=classes,
        shape=shape,
        train=normaliser(examples),
        validation=None if validation is None else normaliser(validation),
        normaliser=normaliser,
        scaled=scaled,
    )


def load_part(
    options: SystemOptions,
    material: Material,
    classes: Sequence[str],
    shape: NetworkShape,
    table: pd.DataFrame,
) -> Examples:
    """The utterances of a part as a system hears them, with the right answers to its tasks where
    there are manifests; not yet standardised.

    Raises:
        EmonasError: domains are told apart, and an utterance is of none that was learnt from; or a
            manifest does not hold one.
    """
    examples = load_examples(
        table, classes, options.inputs, material.features, tuple(shape.domains)
    )
    known = heard_answers(options, material, shape.tasks, table) if material.manifests else {}
    heard = replace(examples, targets=targets(known, shape.tasks))
    return heard if options.longest is None else heard.cut(options.longest)


def _tell_unknown_characters(
    options: SystemOptions, material: Material, shape: NetworkShape, table: pd.DataFrame
) -> None:
    """Say which characters of a validation part nobody learnt to spell: `targets` has none."""
    if ASR not in shape.tasks or not len(table):
        return
    texts = heard_answers(options, material, [ASR], table)[ASR]
    learnt = set(shape.tasks[ASR])
    if other := sorted(set("".join(texts)) - learnt):
        count = sum(not learnt.issuperset(text) for text in texts)
        report_line(
            f"{count} of the {sum(map(bool, texts))} texts that validate have characters that no "
            f"text to learn from has, and are scored without them: {' '.join(map(repr, other))}"
        )


def _classes(options: SystemOptions, path: Path, table: pd.DataFrame) -> tuple[str, ...]:
    """The classes that a system learns; none where emotion is not what it learns."""
    if not tells_emotions(options):
        return ()
    if table["label"].nunique() < 2:
        raise EmonasError(
            f"{path}: there is one class only, {', '.join(table['label'].unique())}; give the "
            "protocol labels, or folds, with which at least two classes can be learnt"
        )
    return tuple(sorted(table["label"].unique()))


def heard_answers(
    options: SystemOptions, material: Material, tasks: Iterable[str], table: pd.DataFrame
) -> Known:
    """What the manifests say of each utterance of a part; nothing of the words of one that is cut,
    because not all of them are heard.

    Raises:
        EmonasError: a manifest is missing or damaged, or lacks an utterance.
    """
    known = read_known(tasks, table, material.manifests)
    if ASR not in known:
        return known
    long = longer_ones(options, material.features, table)
    texts = ["" if cut else text for text, cut in zip(known[ASR], long, strict=True)]
    return {**known, ASR: texts}


def longer_ones(
    options: SystemOptions, features: FeaturePaths, table: pd.DataFrame
) -> npt.NDArray[np.bool_]:
    """Which utterances of a part are longer than a system allows."""
    long = np.zeros(len(table), dtype=bool)
    if options.longest is None:
        return long
    corpora, names = table["corpus"].to_numpy(), table["utterance"].to_numpy()
    for entry in options.inputs:
        for corpus, path in features[entry.feature].items():
            with FeatureFile(path) as file:
                for row in np.flatnonzero(corpora == corpus):
                    long[row] |= file.length(names[row]) > options.longest
    return long


def _without_long(
    options: SystemOptions, features: FeaturePaths, path: Path, table: pd.DataFrame
) -> pd.DataFrame:
    if not options.leaves_long_out:
        return table
    kept = table[~longer_ones(options, features, table)].reset_index(drop=True)
    if not len(kept):
        raise EmonasError(
            f"{path}: every utterance is longer than the system's longest_seconds, and too_long: "
            "skip leaves such out; allow more, or set too_long: cut"
        )
    return kept


_LONGER = " (one that is cut has no text: a larger longest_seconds helps)"


def _refuse_unknown_answers(path: Path, validation: Examples) -> None:
    """Refuse a validation part whose loss would be 0 whatever is learnt."""
    for task, known in validation.targets.items():
        if not any(map(len, known)):
            raise EmonasError(
                f"{path.with_name('validation.csv')}: of no utterance the answer to the task "
                f"{task} is known, so that nothing can be chosen by it; validate on others, or "
                f"leave the task out{_LONGER if task == ASR else ''}"
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
    material: Material,
    classes: Sequence[str],
    domains: Iterable[str],
    labels: Iterable[str],
) -> NetworkShape:
    """The shape of a system's network, by its files and by the domain and label of each utterance
    of the training part; what it answers to other tasks is not known here.
    """
    heard = list(_heard(options.inputs, material.features))
    return NetworkShape(
        widths=tuple(stream.width for stream in heard),
        classes=len(classes),
        names=tuple(stream.name for stream in heard),
        vectors=tuple(stream.vector for stream in heard),
        domains=classes_by_domain(domains, labels, classes) if knows_domains(options) else {},
        checkpoint=material.checkpoint,
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
    told_apart = _domain_numbers(table, domains) if domains else None
    return Examples(streams, labels, told_apart, names=list(table["utterance"]))


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
