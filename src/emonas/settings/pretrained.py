"""Which weights and transcripts a feature needs, and whether they can be had here."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from emonas.checkpoints.checkpoint import Checkpoint
from emonas.checkpoints.places import locate, missing_weights


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
        yield from self._weights_of(options)
        transcript = getattr(options, "transcript", None)
        if transcript is not None:
            yield f"transcripts.{transcript}", self._settings.transcripts[transcript]
            yield from self._weights_of(self._settings.transcripts[transcript])

    def _weights_of(self, options: Any) -> Iterator[tuple[str, Any]]:
        name = getattr(options, "checkpoint", None)
        if name is not None:
            yield f"checkpoints.{name}", self._settings.checkpoints[name]

    def identity(self, options: Any) -> dict[str, Any]:
        """What tells a feature's weights and transcript from others."""
        found: dict[str, Any] = {}
        name = getattr(options, "checkpoint", None)
        if name is not None:
            weights = self._settings.checkpoints[name]
            source = {"path", "address", "hub", "revision", "file", "size"}
            found["checkpoint"] = weights.sha256 or weights.model_dump(mode="json", include=source)
        transcript = getattr(options, "transcript", None)
        if transcript is not None:
            heard = self._settings.transcripts[transcript]
            found["transcript"] = {
                "options": heard.model_dump(mode="json"),
                **self.identity(heard),
            }
        return found

    def record_of(self, options: Any) -> str | list[str]:
        """The record of the weights that a feature or recogniser needs; none for one without."""
        name = getattr(options, "checkpoint", None)
        return [] if name is None else f"results/checkpoints/{name}.json"

    def transcript_of(self, feature: str, corpus: str) -> str | list[str]:
        """The transcript that a feature reads; none where it takes the corpus's own texts."""
        name = getattr(self._settings.features[feature], "transcript", None)
        return [] if name is None else f"results/features/{corpus}/{name}.csv"

    def files_of(self, feature: str, corpus: str) -> list[Path]:
        """Files of the user's own that a feature is read from."""
        options = self._settings.features[feature]
        return list(options.files(corpus)) if hasattr(options, "files") else []
