"""Vectors or frames that you computed yourself, from a file of yours keyed by utterance."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from emonas.errors import EmonasError
from emonas.features.extraction import Extractor, ExtractorOptions, Form, Resources, Speech
from emonas.features.missing import told_missing
from emonas.storage.features import Array

if TYPE_CHECKING:
    from emonas.features.own_files import OwnArrays


class Options(ExtractorOptions):
    """Options of a precomputed feature."""

    hears: ClassVar[bool] = False
    gives: ClassVar[Form] = "unknown"

    extractor: Literal["precomputed"] = Field("precomputed", description="name of the extractor")
    file: str = Field(
        min_length=1,
        description="a folder of .npy files, each named by its utterance; an .npz or an HDF5 "
        "(.h5), an array an utterance; a CSV with the column `utterance` and otherwise numbers, "
        "whose rows of one utterance are its frames. `{corpus}` in the path stands for the "
        "corpus's name. The names are those of the manifest",
    )
    frame_rate: float | None = Field(
        None,
        gt=0,
        description="frames a second, to be noted in the feature file; null notes 0: vectors, or "
        "a rate that nobody knows",
    )

    def files(self, corpus: str) -> list[Path]:
        """The file or folder that the feature of a corpus is read from."""
        return [Path(self.file.replace("{corpus}", corpus)).expanduser()]


class Precomputed:
    """Gives (frames, features) an utterance as they stand in a file; a vector is one frame."""

    layers: tuple[str, ...] = ()

    def __init__(self, options: Options, corpus: str) -> None:
        from emonas.features.own_files import OwnArrays

        self._corpus = corpus
        self._path = options.files(corpus)[0]
        self._arrays: OwnArrays = OwnArrays(self._path)
        self.frame_rate = options.frame_rate or self._arrays.frame_rate

    def check(self, utterances: Sequence[str]) -> None:
        """Hold the corpus's utterances against the file's; the log gets every missing name.

        Raises:
            EmonasError: some are missing.
        """
        names = self._arrays.names
        missing = told_missing(self._path, self._corpus, utterances, names)
        if not missing:
            return
        there = f"{len(names)} names, such as {min(names)}" if names else "no names"
        raise EmonasError(
            f"{self._path}: {missing}; it has {there}: give every utterance under its "
            "name in the manifest"
        )

    def extract(self, batch: Sequence[Speech]) -> list[Array]:
        """Read (frames, features) for each utterance."""
        return [self._arrays.read(speech.name) for speech in batch]


def build(options: Options, resources: Resources) -> Extractor:
    """Open the file of the corpus.

    Raises:
        EmonasError: it is not there, or is of no known format.
    """
    return Precomputed(options, resources.corpus)
