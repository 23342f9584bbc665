"""Another corpus, on the whole of which the models of a protocol are tested."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from emonas.errors import EmonasError
from emonas.protocols.options import ProtocolOptions
from emonas.protocols.select import read_manifests, select

_OWN_OPTIONS = ("style", "language", "gender", "limit")


def transfer(
    name: str, options: ProtocolOptions, corpus: str, manifests: Mapping[str, Path]
) -> pd.DataFrame:
    """Select the utterances of another corpus whose emotions count as classes of the protocol.

    They have the columns of `select`.

    Raises:
        EmonasError: the map names an emotion or a class that is not there, no class is common, or
            the filters leave nothing.
    """
    place = f"{name}.transfer.{corpus}"
    counted = declared_map(name, options, corpus, manifests)
    there = options.transfer[corpus]
    view = options.model_copy(
        update={
            "corpora": (corpus,),
            "merge": counted,
            "labels": tuple(sorted(set(counted.values()))),
            "labels_of": {},
            **{key: getattr(there, key) for key in _OWN_OPTIONS},
        }
    )
    return select(place, read_manifests(place, view, manifests), view)


def declared_map(
    name: str, options: ProtocolOptions, corpus: str, manifests: Mapping[str, Path]
) -> dict[str, str]:
    """The class that each emotion of another corpus counts as, of those that count.

    Raises:
        EmonasError: see `label_map`.
    """
    key = f"{name}.transfer.{corpus}"
    view = options.model_copy(update={"corpora": (corpus,)})
    emotions = sorted(set(read_manifests(key, view, manifests)["emotion"]) - {""})
    classes = _classes(name, options, manifests)
    return label_map(f"protocols.{key}", options.transfer[corpus].map, emotions, classes)


def label_map(
    key: str, given: Mapping[str, str], emotions: Sequence[str], classes: Sequence[str]
) -> dict[str, str]:
    """The class that each emotion of another corpus counts as, of those that count.

    Args:
        key: the path of the transfer in the settings.
        given: what the settings say; other emotions count as the class of their own name.
        emotions: those of the other corpus.
        classes: those of the protocol.

    Raises:
        EmonasError: a given emotion or class is not there, or no class is common.
    """
    for source, target in given.items():
        if source not in emotions:
            raise EmonasError(
                f"{key}.map: no utterance has {source}; there are {', '.join(emotions)}"
            )
        if target not in classes:
            raise EmonasError(
                f"{key}.map: turns {source} into {target}, which is no class; the classes are "
                f"{', '.join(classes)}"
            )
    counted = {emotion: given.get(emotion, emotion) for emotion in emotions}
    counted = {emotion: label for emotion, label in counted.items() if label in classes}
    if not counted:
        raise EmonasError(
            f"{key}: no label is common; the corpus has {', '.join(emotions)}, the classes are "
            f"{', '.join(classes)}; say in `map` which emotion counts as which class"
        )
    return counted


def _classes(name: str, options: ProtocolOptions, manifests: Mapping[str, Path]) -> Sequence[str]:
    if options.labels is not None:
        return options.labels
    own = select(name, read_manifests(name, options, manifests), options)
    return sorted(str(label) for label in own["label"].unique())
