"""Which weights and transcripts a feature needs, and whether they can be had here."""

from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

from emonas.checkpoints.checkpoint import Checkpoint
from emonas.checkpoints.options import CheckpointOptions
from emonas.checkpoints.places import locate, missing_weights
from emonas.checkpoints.recorded import Given, read_record
from emonas.errors import EmonasError
from emonas.settings.absent import files_within
from emonas.settings.code import code_digest

_SOURCE = {"path", "address", "hub", "revision", "file"}


class Pretrained:
    """The checkpoints and transcripts of a settings file."""

    def __init__(self, settings: Any) -> None:
        self._settings = settings

    def missing(self, feature: str) -> str:
        """Why a feature can't be had here; empty where it can."""
        options = self._settings.features[feature]
        if options.missing:
            return f"features.{feature}: {options.missing}"
        transcript = getattr(options, "transcript", None)
        reason = "" if transcript is None else self.missing_transcript(transcript)
        return reason or self._missing_weights(options)

    def missing_transcript(self, transcript: str) -> str:
        """Why a transcript can't be had here; empty where it can."""
        options = self._settings.transcripts[transcript]
        if options.missing:
            return f"transcripts.{transcript}: {options.missing}"
        return self._missing_weights(options)

    def missing_encoder(self, system: str) -> str:
        """Why the encoder of a system can't be had here; empty where it can, or it has none."""
        options = self._settings.systems[system]
        if getattr(options, "missing", ""):
            return f"systems.{system}: {options.missing}"
        return self._missing_weights(options)

    def _missing_weights(self, options: Any) -> str:
        name = getattr(options, "checkpoint", None)
        if name is None:
            return ""
        reason = missing_weights(self._settings.checkpoints[name])
        return f"checkpoints.{name}: {reason}" if reason else ""

    def located(self, options: Any) -> Checkpoint | None:
        """The weights that are on this machine, unverified; None where they would be fetched."""
        name = getattr(options, "checkpoint", None)
        if name is None:
            return None
        path = locate(self._settings.checkpoints[name])
        return None if path is None else Checkpoint(name, path, "")

    def parts_of(self, feature: str) -> Iterator[tuple[str, Any]]:
        """The options that a feature is made from, by the path of their key."""
        options = self._settings.features[feature]
        yield f"features.{feature}", options
        yield from self.weights_of(options)
        transcript = getattr(options, "transcript", None)
        if transcript is not None:
            yield from self.parts_of_transcript(transcript)

    def parts_of_transcript(self, transcript: str) -> Iterator[tuple[str, Any]]:
        """The options that a transcript is made from, by the path of their key."""
        options = self._settings.transcripts[transcript]
        yield f"transcripts.{transcript}", options
        yield from self.weights_of(options)

    def weights_of(self, options: Any) -> Iterator[tuple[str, Any]]:
        """The options of the weights that a feature, recogniser or system needs, by their key."""
        name = getattr(options, "checkpoint", None)
        if name is not None:
            yield f"checkpoints.{name}", self._settings.checkpoints[name]

    def identity(self, options: Any) -> dict[str, Any]:
        """What tells a feature's transcript from others.

        Of its weights the options have the name. That they are the same is not for the settings to
        say: the record of the weights does, and a feature file is held against it.
        """
        transcript = getattr(options, "transcript", None)
        if transcript is None:
            return {}
        heard = self._settings.transcripts[transcript]
        weights = self._settings.checkpoints[heard.checkpoint]
        # A file of words carries no digest that the feature made from it could be held against.
        source = weights.model_dump(mode="json", include=_SOURCE)
        return {"transcript": {"options": heard.model_dump(mode="json"), "checkpoint": source}}

    def record_of(self, options: Any) -> str | list[str]:
        """The record of the weights that a feature, recogniser or system needs; none for one
        without.
        """
        name = getattr(options, "checkpoint", None)
        return [] if name is None else _record(name)

    def transcript_of(self, feature: str, corpus: str) -> str | list[str]:
        """The transcript that a feature reads; none where it takes the corpus's own texts."""
        name = getattr(self._settings.features[feature], "transcript", None)
        return [] if name is None else f"results/features/{corpus}/{name}.csv"

    def files_of(self, feature: str, corpus: str) -> list[str]:
        """Files of the user's own that a feature is read from."""
        options = self._settings.features[feature]
        own = options.files(corpus) if hasattr(options, "files") else []
        return list(chain.from_iterable(files_within(path) for path in own))

    def checkpoint_files(self, checkpoint: str) -> list[str]:
        """The local files of weights, where the settings name a file or folder."""
        path = self._settings.checkpoints[checkpoint].path
        return [] if path is None else files_within(path)

    def checkpoint_params(self, checkpoint: str) -> dict[str, Any]:
        """What fetching and verifying weights depends on."""
        options = self._settings.checkpoints[checkpoint]
        return {
            "options": options.model_dump(mode="json", include=_SOURCE),
            "given": _given(options, Path(_record(checkpoint))),
            "code": code_digest("emonas.checkpoints.obtain"),
        }


def _record(checkpoint: str) -> str:
    return f"results/checkpoints/{checkpoint}.json"


def _given(options: CheckpointOptions, path: Path) -> Given:
    """Size and SHA-256 of weights as the settings give them.

    Where the record agrees with them, they are those that were given when it was made: who writes
    down what the log advises has nothing verified, and so nothing extracted, again.
    """
    try:
        record = read_record(path)
    except EmonasError:
        return options.given
    agrees = options.size in {None, record.size} and options.sha256 in {None, record.digest}
    return record.given if agrees else options.given
