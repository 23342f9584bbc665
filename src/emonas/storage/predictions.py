"""`predictions.h5` of `results/train/...` and `results/fuse/...`: a group a part."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt

from emonas.errors import DamagedFileError
from emonas.storage.finite import refuse_none_numbers
from emonas.storage.hdf5 import (
    own_dataset,
    read_names,
    read_text_attributes,
    whole_hdf5,
    write_names,
    write_text_attribute,
)
from emonas.storage.sealing import check_seal, seal

EMOTION = "emotion"
ASR = "asr"


@dataclass(frozen=True)
class TaskPredictions:
    """What a system says to one task beside emotion.

    `truth` and `said` have an entry an utterance, the truth empty where nobody knows it; `answers`
    are those that the system can give, of asr the characters; `logits` is (utterances, answers),
    none of asr, which has them a frame. `edits` of asr stand in the place of the words where these
    must not be shown: (utterances, 4), edits of words, words that were said, and the same of
    characters.
    """

    truth: tuple[str, ...]
    said: tuple[str, ...]
    answers: tuple[str, ...]
    logits: npt.NDArray[np.float32] | None = None
    edits: npt.NDArray[np.int64] | None = None

    @property
    def known(self) -> tuple[bool, ...]:
        """Of which utterances the answer is known."""
        if self.edits is not None:
            return tuple(bool(words) for words in self.edits[:, 1])
        return tuple(bool(truth) for truth in self.truth)


@dataclass(frozen=True)
class Predictions:
    """A system's outputs for one part.

    `utterances`, `corpora` and `labels` (the true ones) have an entry an utterance, and so have
    `domains` where the protocol has any; `logits` is (utterances, classes), its columns named by
    `classes`, minus infinity where a system can't answer with a class in the utterance's domain;
    `embedding` is (utterances, width), what the classifier saw; `gates` is (utterances, gated
    features), the weights that a gating network gave to the features that `gated` names, where
    there is one. A system that does not learn emotion has no `classes`; `tasks` are the others that
    it learns.
    """

    utterances: tuple[str, ...]
    corpora: tuple[str, ...]
    labels: tuple[str, ...]
    classes: tuple[str, ...]
    logits: npt.NDArray[np.float32]
    embedding: npt.NDArray[np.float32]
    domains: tuple[str, ...] = ()
    gates: npt.NDArray[np.float32] | None = None
    gated: tuple[str, ...] = ()
    tasks: Mapping[str, TaskPredictions] = field(default_factory=dict)

    @property
    def each_domain(self) -> tuple[str, ...]:
        """The domain of each utterance; empty names where the protocol has none."""
        return self.domains or ("",) * len(self.utterances)

    @property
    def predicted(self) -> tuple[str, ...]:
        """The class of the largest logit of each utterance; none without classes."""
        if not self.classes:
            return ()
        return tuple(self.classes[index] for index in self.logits.argmax(axis=1))

    @property
    def probabilities(self) -> npt.NDArray[np.float32]:
        """Softmax of the logits, (utterances, classes)."""
        shifted = np.exp(self.logits - self.logits.max(axis=1, keepdims=True))
        return np.asarray(shifted / shifted.sum(axis=1, keepdims=True), dtype=np.float32)


def joined(pieces: Sequence[Predictions]) -> Predictions:
    """The predictions of a part from those of its pieces, in their order."""
    return Predictions(
        utterances=tuple(chain.from_iterable(piece.utterances for piece in pieces)),
        corpora=tuple(chain.from_iterable(piece.corpora for piece in pieces)),
        labels=tuple(chain.from_iterable(piece.labels for piece in pieces)),
        classes=pieces[0].classes,
        logits=np.concatenate([piece.logits for piece in pieces]),
        embedding=np.concatenate([piece.embedding for piece in pieces]),
        domains=tuple(chain.from_iterable(piece.domains for piece in pieces)),
        gates=None
        if any(piece.gates is None for piece in pieces)
        else np.concatenate([piece.gates for piece in pieces if piece.gates is not None]),
        gated=pieces[0].gated,
        tasks={
            task: _joined_task([piece.tasks[task] for piece in pieces]) for task in pieces[0].tasks
        },
    )


def _joined_task(pieces: Sequence[TaskPredictions]) -> TaskPredictions:
    logits = [piece.logits for piece in pieces if piece.logits is not None]
    edits = [piece.edits for piece in pieces if piece.edits is not None]
    return TaskPredictions(
        tuple(chain.from_iterable(piece.truth for piece in pieces)),
        tuple(chain.from_iterable(piece.said for piece in pieces)),
        pieces[0].answers,
        np.concatenate(logits) if logits else None,
        np.concatenate(edits) if edits else None,
    )


def write_predictions(path: Path, parts: Mapping[str, Predictions]) -> None:
    """Write the predictions for every part, whole or not at all.

    Raises:
        EmonasError: some are no numbers.
    """
    refuse_none_numbers(path, parts)
    with whole_hdf5(path, track_order=True) as (file, _):
        for name, part in parts.items():
            group = file.create_group(name)
            write_names(group, "utterance", part.utterances)
            write_names(group, "corpus", part.corpora)
            write_names(group, "label", part.labels)
            group.create_dataset("embedding", data=part.embedding.astype(np.float32))
            logits = group.create_dataset(f"logits/{EMOTION}", data=part.logits.astype(np.float32))
            write_text_attribute(logits, "classes", part.classes)
            if part.domains:
                write_names(group, "domain", part.domains)
            if part.gates is not None:
                gates = group.create_dataset("gates", data=part.gates.astype(np.float32))
                write_text_attribute(gates, "features", part.gated)
            for task, found in part.tasks.items():
                _write_task(group.create_group(f"tasks/{task}"), found)
            seal(group)


def _write_task(group: h5py.Group, found: TaskPredictions) -> None:
    write_text_attribute(group, "answers", found.answers)
    write_names(group, "truth", found.truth)
    write_names(group, "said", found.said)
    if found.logits is not None:
        group.create_dataset("logits", data=found.logits.astype(np.float32))
    if found.edits is not None:
        group.create_dataset("edits", data=found.edits.astype(np.int64))


def _read_task(group: h5py.Group) -> TaskPredictions:
    logits = own_dataset(group, "logits") if "logits" in group else None
    edits = own_dataset(group, "edits") if "edits" in group else None
    return TaskPredictions(
        truth=read_names(group, "truth"),
        said=read_names(group, "said"),
        answers=read_text_attributes(group, "answers"),
        logits=None if logits is None else logits[:],
        edits=None if edits is None else edits[:],
    )


def predicted_parts(path: Path) -> tuple[str, ...]:
    """The names of the parts that a file holds.

    Raises:
        EmonasError: the file is missing or damaged.
    """
    try:
        with h5py.File(path, "r") as file:
            return tuple(file)
    except (OSError, RuntimeError) as error:
        raise DamagedFileError(path, f"no whole predictions ({error})") from error


def predictions_outline(path: Path) -> frozenset[str]:
    """All that has a name in a file, by its place: groups, datasets with type and shape, links that
    lead elsewhere, and attributes.

    Raises:
        EmonasError: the file is missing or damaged.
    """
    found: set[str] = set()

    def add(name: str, link: object) -> None:
        found.add(f"{name}: {type(link).__name__}")
        if isinstance(link, h5py.HardLink):
            found.update(_described(name, file[name]))

    try:
        with h5py.File(path, "r") as file:
            found.update(_described("", file))
            file.visititems_links(add)
    except (OSError, KeyError, RuntimeError, ValueError, TypeError) as error:
        raise DamagedFileError(path, f"no whole predictions ({error})") from error
    return frozenset(found)


def _described(name: str, entry: h5py.HLObject) -> Iterator[str]:
    kind = f", {entry.dtype} {entry.shape}" if isinstance(entry, h5py.Dataset) else ""
    yield f"{name}: {type(entry).__name__}{kind}"
    for attribute in entry.attrs:
        yield f"{name}: attribute {attribute}"


def read_predictions(path: Path, part: str) -> Predictions:
    """Read the predictions for one part.

    Raises:
        EmonasError: the file is missing or damaged, or has no such part.
    """
    try:
        with h5py.File(path, "r") as file:
            group = file[part]
            logits = own_dataset(group, f"logits/{EMOTION}")
            gates = own_dataset(group, "gates") if "gates" in group else None
            predictions = Predictions(
                utterances=read_names(group, "utterance"),
                corpora=read_names(group, "corpus"),
                labels=read_names(group, "label"),
                classes=read_text_attributes(logits, "classes"),
                logits=logits[:],
                embedding=own_dataset(group, "embedding")[:],
                domains=read_names(group, "domain") if "domain" in group else (),
                gates=None if gates is None else gates[:],
                gated=() if gates is None else read_text_attributes(gates, "features"),
                tasks={task: _read_task(found) for task, found in group.get("tasks", {}).items()},
            )
            _check(predictions)
            for each in file.values():
                check_seal(each)
    except (OSError, KeyError, ValueError, TypeError, AttributeError, RuntimeError) as error:
        problem = f"no whole predictions of the part {part} ({error})"
        raise DamagedFileError(path, problem) from error
    return predictions


def _check(predictions: Predictions) -> None:
    """Hold names, logits and embeddings against each other."""
    for names in _names_of(predictions):
        # A table of names would be read as rows.
        if not all(isinstance(name, str) for name in names):
            raise ValueError("names have more than one dimension")
    for numbers, kind in _numbers_of(predictions):
        if not np.issubdtype(numbers.dtype, kind) or numbers.ndim != 2:
            raise ValueError("logits, embeddings, gates or edits are no table of numbers")
    count = len(predictions.utterances)
    if {len(predictions.corpora), len(predictions.labels), len(predictions.embedding)} != {count}:
        raise ValueError("names, labels and embeddings do not agree")
    if predictions.logits.shape != (count, len(predictions.classes)):
        raise ValueError("logits and classes do not agree")
    if predictions.domains and len(predictions.domains) != count:
        raise ValueError("names and domains do not agree")
    if predictions.gates is not None and predictions.gates.shape != (count, len(predictions.gated)):
        raise ValueError("gates and features do not agree")
    for task, found in predictions.tasks.items():
        if {len(found.truth), len(found.said)} != {count}:
            raise ValueError(f"names and {task} do not agree")
        if found.edits is not None and found.edits.shape != (count, 4):
            raise ValueError(f"names and the edits of {task} do not agree")


def _names_of(predictions: Predictions) -> Iterator[tuple[str, ...]]:
    yield predictions.utterances
    yield predictions.corpora
    yield predictions.labels
    yield predictions.domains
    for found in predictions.tasks.values():
        yield found.truth
        yield found.said


def _numbers_of(predictions: Predictions) -> Iterator[tuple[npt.NDArray[Any], type[np.generic]]]:
    """The arrays, and of which kind of numbers each is."""
    tasks = predictions.tasks.values()
    arrays = (predictions.gates, *(found.logits for found in tasks))
    for array in (predictions.logits, predictions.embedding, *arrays):
        if array is not None:
            yield array, np.floating
    for found in tasks:
        if found.edits is not None:
            yield found.edits, np.integer
