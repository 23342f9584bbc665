"""`predictions.h5` of `results/train/...` and `results/fuse/...`: a group a part."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import h5py
import numpy as np
import numpy.typing as npt

from emonas.errors import EmonasError, make_again
from emonas.storage.hdf5 import whole_hdf5

EMOTION = "emotion"


@dataclass(frozen=True)
class Predictions:
    """A system's outputs for one part.

    `utterances`, `corpora` and `labels` (the true ones) have an entry an utterance; `logits` is
    (utterances, classes), its columns named by `classes`; `embedding` is (utterances, width), what
    the classifier saw.
    """

    utterances: tuple[str, ...]
    corpora: tuple[str, ...]
    labels: tuple[str, ...]
    classes: tuple[str, ...]
    logits: npt.NDArray[np.float32]
    embedding: npt.NDArray[np.float32]

    @property
    def predicted(self) -> tuple[str, ...]:
        """The class of the largest logit of each utterance."""
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
    )


def write_predictions(path: Path, parts: Mapping[str, Predictions]) -> None:
    """Write the predictions for every part, whole or not at all."""
    text = h5py.string_dtype("utf-8")
    with whole_hdf5(path, track_order=True) as (file, _):
        for name, part in parts.items():
            group = file.create_group(name)
            group.create_dataset("utterance", data=list(part.utterances), dtype=text)
            group.create_dataset("corpus", data=list(part.corpora), dtype=text)
            group.create_dataset("label", data=list(part.labels), dtype=text)
            group.create_dataset("embedding", data=part.embedding.astype(np.float32))
            logits = group.create_dataset(f"logits/{EMOTION}", data=part.logits.astype(np.float32))
            logits.attrs.create("classes", list(part.classes), dtype=text)


def read_predictions(path: Path, part: str) -> Predictions:
    """Read the predictions for one part.

    Raises:
        EmonasError: the file is missing or damaged, or has no such part.
    """
    try:
        with h5py.File(path, "r") as file:
            group = file[part]
            logits = group[f"logits/{EMOTION}"]
            predictions = Predictions(
                utterances=tuple(group["utterance"].asstr()[:]),
                corpora=tuple(group["corpus"].asstr()[:]),
                labels=tuple(group["label"].asstr()[:]),
                classes=tuple(str(name) for name in logits.attrs["classes"]),
                logits=logits[:],
                embedding=group["embedding"][:],
            )
        _check(predictions)
    except (OSError, KeyError, ValueError, TypeError, AttributeError) as error:
        raise EmonasError(
            f"{path}: no whole predictions of the part {part} ({error}); {make_again(path)}"
        ) from error
    return predictions


def _check(predictions: Predictions) -> None:
    """Hold names, logits and embeddings against each other."""
    count = len(predictions.utterances)
    if {len(predictions.corpora), len(predictions.labels), len(predictions.embedding)} != {count}:
        raise ValueError("names, labels and embeddings do not agree")
    if predictions.logits.shape != (count, len(predictions.classes)):
        raise ValueError("logits and classes do not agree")
