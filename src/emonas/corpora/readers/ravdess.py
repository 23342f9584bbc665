"""RAVDESS (Livingstone and Russo 2018), its speech: English, 24 actors, two statements.

A name such as `03-01-06-01-02-01-12` is modality (03 audio), channel (01 speech), emotion,
intensity, statement, repetition and actor; odd actors are men.
"""

import re
from pathlib import Path
from typing import Literal

from pydantic import Field

from emonas.corpora.reading import (
    Expected,
    Listing,
    ReaderOptions,
    Recording,
    given_root,
    named_files,
)

EXPECTED = Expected(utterances=1440, speakers=24, sessions=0, sampling_rate=48000)
EMOTIONS = {
    "01": "neutral",
    "02": "calm",
    "03": "happy",
    "04": "sad",
    "05": "angry",
    "06": "fearful",
    "07": "disgusted",
    "08": "surprised",
}
_NAME = re.compile(
    r"(?P<modality>\d\d)-(?P<channel>\d\d)-(?P<emotion>\d\d)-(?P<intensity>\d\d)"
    r"-(?P<statement>\d\d)-(?P<repetition>\d\d)-(?P<actor>\d\d)"
)


class Options(ReaderOptions):
    """Options of the RAVDESS reader."""

    reader: Literal["ravdess"] = Field(
        default="ravdess", description="RAVDESS speech, by its file names, as wav or FLAC"
    )
    licence: str = Field(
        default="CC BY-NC-SA 4.0",
        description="licence of the corpus, for an exported system's card",
    )
    texts: dict[str, str] = Field(
        default_factory=dict,
        description="the sentence of each statement (01, 02); its number where none is given",
    )


def read(options: Options, folder: Path) -> Listing:
    """List the recordings below the root; `folder` is not written to."""
    listing = Listing()
    for path, match in named_files(listing, given_root(options), _NAME, _problem):
        listing.recordings.append(
            Recording(
                utterance=path.stem,
                audio=path,
                emotion=EMOTIONS[match["emotion"]],
                language="en",
                speaker=match["actor"],
                gender="male" if int(match["actor"]) % 2 else "female",
                style="scripted",
                text=options.texts.get(match["statement"], match["statement"]),
            )
        )
    return listing


def _problem(match: re.Match[str] | None) -> str:
    """What keeps a file of this name out; empty if nothing does."""
    if match is None:
        return "its name is not like RAVDESS's 03-01-06-01-02-01-12; rename or remove it"
    if match["modality"] != "03":
        return f"its modality {match['modality']} is not 03, audio alone; remove it"
    if match["channel"] != "01":
        return f"its channel {match['channel']} is not 01, speech; remove it"
    if match["emotion"] not in EMOTIONS:
        return f"its emotion {match['emotion']} is none of 01 to 08; rename or remove it"
    return ""
