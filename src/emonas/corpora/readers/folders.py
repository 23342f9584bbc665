"""Any corpus as a folder a class: what lies below `root/happy/` is happy."""

import re
from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator

from emonas.corpora.emotions import EMOTIONS
from emonas.corpora.reading import (
    Listing,
    ReaderOptions,
    Recording,
    audio_files,
    given_root,
    name_below,
)
from emonas.storage.manifest import UNKNOWN_SPEAKER


class Options(ReaderOptions):
    """Options of the reader of a folder a class."""

    reader: Literal["folders"] = Field(default="folders", description="a folder a class")
    speaker: str | None = Field(
        default=None,
        description="a regular expression that finds the speaker in a file's name: its first "
        "group, or all it matches; without it every speaker is unknown",
    )
    labels: dict[str, str] = Field(
        default_factory=dict,
        description="the folders' names in ours; if given, a folder that is neither here nor one "
        "of ours is left out, else every name passes as it is",
    )
    language: str = Field(default="", description="the language of all, such as en")
    style: str = Field(default="", description="the style of all: improvised or scripted")

    @field_validator("speaker")
    @classmethod
    def _compiles(cls, value: str | None) -> str | None:
        try:
            re.compile(value or "")
        # Beside what is none: brackets in brackets without an end, and counts without one.
        except (re.error, RecursionError, OverflowError) as error:
            raise ValueError(f"{value!s:.100} is no regular expression ({error})") from error
        return value


def read(options: Options, folder: Path) -> Listing:
    """List the recordings below the root; `folder` is not written to."""
    root = given_root(options)
    listing = Listing()
    if options.speaker is None:
        listing.note(
            root,
            "the option speaker is not given",
            "used, with the speaker unknown: a protocol by speaker cannot part them",
        )
    for path in audio_files(root, listing):
        _add(options, path, path.relative_to(root), listing)
    return listing


def _add(options: Options, path: Path, relative: Path, listing: Listing) -> None:
    if len(relative.parts) == 1:
        listing.leave_out(path, "it lies in no folder of a class; move it into one")
        return
    emotion = options.labels.get(relative.parts[0], relative.parts[0])
    if options.labels and emotion not in EMOTIONS:
        listing.leave_out(path, f"its folder {emotion} is no known emotion; add it to labels")
        return
    listing.recordings.append(
        Recording(
            utterance=name_below(relative),
            audio=path,
            emotion=emotion,
            language=options.language,
            speaker=_speaker(options, path, listing),
            style=options.style,
        )
    )


def _speaker(options: Options, path: Path, listing: Listing) -> str:
    if options.speaker is None:
        return UNKNOWN_SPEAKER
    match = re.search(options.speaker, path.name)
    found = (match[1] if match.re.groups else match[0]) if match else None
    if not found:
        listing.note(
            path,
            f"its name holds no speaker by {options.speaker}",
            "used, with the speaker unknown",
        )
    return found or UNKNOWN_SPEAKER
