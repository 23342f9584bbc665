"""The features of recordings, as the corpora's were computed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from emonas.features.extraction import Extractor, Resources
from emonas.features.job import FeatureJob, build_extractor, extract_feature
from emonas.features.transcription import TranscriptJob, build_recogniser, transcribe
from emonas.kinds import kind_options
from emonas.storage.manifest import Utterance, write_manifest

if TYPE_CHECKING:
    from emonas.checkpoints.checkpoint import Checkpoint
    from emonas.export.contract import ExportedModel
    from emonas.export.recordings import Piece
    from emonas.features.recogniser import Recogniser
    from emonas.learning.options import RuntimeOptions
    from emonas.systems.material import FeaturePaths

CORPUS = "recordings"
"""The corpus that all pieces are of."""


class FrontEnds:
    """Extractors and recognisers of an exported system, each made once, when it is first needed."""

    def __init__(
        self, model: ExportedModel, checkpoints: Mapping[str, Checkpoint], runtime: RuntimeOptions
    ) -> None:
        self._model = model
        self._checkpoints = checkpoints
        self._runtime = runtime
        self._extractors: dict[str, Extractor] = {}
        self._recognisers: dict[str, Recogniser] = {}

    def hear(self, pieces: Sequence[Piece], folder: Path) -> FeaturePaths:
        """Write the features of the pieces, which are named by their number, into `folder`.

        Raises:
            EmonasError: a piece can't be read, or its features are not finite.
        """
        manifest = folder / "manifest.csv"
        write_manifest(manifest, [_row(number, piece) for number, piece in enumerate(pieces)])
        heard = {name: self._transcribe(name, manifest) for name in self._model.transcripts}
        return {
            name: {CORPUS: self._extract(name, manifest, heard)} for name in self._model.features
        }

    def _transcribe(self, name: str, manifest: Path) -> Path:
        options = kind_options("recogniser", self._model.transcripts[name])
        resources = self._resources(options)
        if name not in self._recognisers:
            self._recognisers[name] = build_recogniser(options, resources)
        job = TranscriptJob(
            transcript=name, options=options, **_shared(manifest, resources, "transcript")
        )
        output = manifest.with_name(f"{name}.csv")
        transcribe(job, output, self._recognisers[name])
        return output

    def _extract(self, name: str, manifest: Path, heard: Mapping[str, Path]) -> Path:
        feature = self._model.features[name]
        options = kind_options("extractor", feature.options)
        resources = self._resources(options, feature.layers)
        if name not in self._extractors:
            self._extractors[name] = build_extractor(options, resources)
        transcript = getattr(options, "transcript", None)
        job = FeatureJob(
            feature=name,
            options=options,
            transcript=None if transcript is None else heard[transcript],
            **_shared(manifest, resources, "feature"),
        )
        output = manifest.with_name(f"{name}.h5")
        extract_feature(job, output, self._extractors[name])
        return output

    def _resources(self, options: Any, layers: tuple[str, ...] = ()) -> Resources:
        checkpoint = getattr(options, "checkpoint", None)
        return Resources(
            runtime=self._runtime,
            checkpoint=None if checkpoint is None else self._checkpoints[checkpoint],
            layers=layers,
            corpus=CORPUS,
        )


def _shared(manifest: Path, resources: Resources, kind: str) -> dict[str, Any]:
    return {
        "corpus": CORPUS,
        "manifest": manifest,
        "resources": resources,
        "resume": manifest.with_name(f"resume-{kind}"),
        "code": "",
    }


def _row(number: int, piece: Piece) -> Utterance:
    return Utterance(
        utterance=name_of(number),
        audio=str(piece.path.absolute()),
        corpus=CORPUS,
        language="",
        speaker="",
        gender="",
        session="",
        style="",
        text="",
        emotion="",
        seconds=piece.end - piece.start,
        sampling_rate=piece.sampling_rate,
        digest="",
    )


def name_of(number: int) -> str:
    """The utterance's name of a piece by its number; names sort as numbers do."""
    return f"{number:09d}"


def table_of(pieces: Sequence[Piece], domain: str) -> pd.DataFrame:
    """The pieces as a part of a fold, whose labels nobody knows."""
    return pd.DataFrame(
        {
            "utterance": [name_of(number) for number in range(len(pieces))],
            "corpus": CORPUS,
            "label": "",
            "domain": domain,
        }
    )
