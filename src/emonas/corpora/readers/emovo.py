"""EMOVO (Costantini et al. 2014): Italian, six actors, fourteen sentences, seven emotions.

A name such as `dis-f1-b1` is emotion (disgusto), speaker (the first woman) and sentence: short (b),
long (l), without meaning (n), a question (d).
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
    innermost_folder,
    named_files,
    note_missing,
)

EXPECTED = Expected(utterances=588, speakers=6, sessions=0, sampling_rate=48000)
EMOTIONS = {
    "dis": "disgusted",
    "gio": "happy",
    "neu": "neutral",
    "pau": "fearful",
    "rab": "angry",
    "sor": "surprised",
    "tri": "sad",
}
SPEAKERS = ("f1", "f2", "f3", "m1", "m2", "m3")
SENTENCES = tuple(
    f"{kind}{number}"
    for kind, last in {"b": 3, "d": 2, "l": 4, "n": 5}.items()
    for number in range(1, last + 1)
)
_NAME = re.compile(r"(?P<emotion>[a-z]{3})-(?P<speaker>[a-z]\d)-(?P<sentence>[a-z]\d)")
_FOLDER = re.compile("[fm][123]")


class Options(ReaderOptions):
    """Options of the EMOVO reader."""

    reader: Literal["emovo"] = Field(default="emovo", description="EMOVO, by its file names")
    texts: dict[str, str] = Field(
        default_factory=dict,
        description="the sentence of each text code (b1, ...); the code where none is given",
    )


def read(options: Options, folder: Path) -> Listing:
    """List the recordings below the root; `folder` is not written to."""
    root = given_root(options)
    listing = Listing()
    for path, match in named_files(listing, root, _NAME, _problem):
        lies_in = innermost_folder(path, root, _FOLDER)
        if lies_in not in {"", match["speaker"]}:
            listing.note(
                path,
                f"it lies in {lies_in} and is named as of speaker {match['speaker']}",
                "used, as it is named",
            )
        listing.recordings.append(
            Recording(
                utterance=path.stem,
                audio=path,
                emotion=EMOTIONS[match["emotion"]],
                language="it",
                speaker=match["speaker"],
                gender="male" if match["speaker"][0] == "m" else "female",
                style="scripted",
                text=options.texts.get(match["sentence"], match["sentence"]),
            )
        )
    note_missing(listing, root, _names(), {recording.utterance for recording in listing.recordings})
    return listing


def _names() -> dict[str, list[str]]:
    """What the files of each speaker are called."""
    return {
        f"speaker {speaker}": [
            f"{emotion}-{speaker}-{sentence}" for emotion in EMOTIONS for sentence in SENTENCES
        ]
        for speaker in SPEAKERS
    }


def _problem(match: re.Match[str] | None) -> str:
    """What keeps a file of this name out; empty if nothing does."""
    if match is None:
        return "its name is not like EMOVO's dis-f1-b1; rename or remove it"
    if match["emotion"] not in EMOTIONS:
        return (
            f"its emotion {match['emotion']} is none of {', '.join(EMOTIONS)}; rename or remove it"
        )
    if match["speaker"] not in SPEAKERS:
        return f"EMOVO has no speaker {match['speaker']}; rename or remove it"
    if match["sentence"] not in SENTENCES:
        return (
            f"its sentence {match['sentence']} is none of {', '.join(SENTENCES)}; "
            "rename or remove it"
        )
    return ""
