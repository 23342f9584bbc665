"""URDU (Latif et al. 2018): Urdu, four emotions, cut from talk shows.

A name such as `SM1_F19_A019` is the speaker (the first man), the number of the file among those of
the speaker in this emotion, the emotion, and the number of the file in this emotion. The paper
counts 38 speakers, 27 of them men; the men of the release are SM1 to SM7 and SM17 to SM27, so that
29 speakers are there.
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

EXPECTED = Expected(utterances=400, speakers=29, sessions=0, sampling_rate=44100)
EMOTIONS = {"A": "angry", "H": "happy", "N": "neutral", "S": "sad"}
MEN, WOMEN = 27, 11
"""The highest numbers of speakers."""
OF_EACH = 100
"""Files of each emotion."""
_NAME = re.compile(
    r"(?P<speaker>S(?P<gender>[FM])(?P<person>[1-9]\d*))_F\d+_(?P<emotion>[A-Z])0*(?P<number>\d+)"
)
_FOLDER = re.compile("Angry|Happy|Neutral|Sad")
"""Each begins with its emotion's letter."""


class Options(ReaderOptions):
    """Options of the URDU reader."""

    reader: Literal["urdu"] = Field(default="urdu", description="URDU, by its file names")


def read(options: Options, folder: Path) -> Listing:
    """List the recordings below the root; `folder` is not written to."""
    root = given_root(options)
    listing = Listing()
    found = set()
    for path, match in named_files(listing, root, _NAME, _problem):
        found.add(_number(match["emotion"], int(match["number"])))
        lies_in = innermost_folder(path, root, _FOLDER)
        if lies_in and lies_in[0] != match["emotion"]:
            listing.note(
                path,
                f"it lies in {lies_in} and is named as of emotion {match['emotion']}",
                "used, as it is named",
            )
        listing.recordings.append(
            Recording(
                utterance=path.stem,
                audio=path,
                emotion=EMOTIONS[match["emotion"]],
                language="ur",
                speaker=match["speaker"],
                gender="male" if match["gender"] == "M" else "female",
                style="natural",
            )
        )
    numbers = range(1, OF_EACH + 1)
    note_missing(
        listing,
        root,
        {f"emotion {letter}": [_number(letter, at) for at in numbers] for letter in EMOTIONS},
        found,
    )
    return listing


def _number(emotion: str, number: int) -> str:
    """How names end: `A01`, `A010`, `A0100`."""
    return f"{emotion}0{number}"


def _problem(match: re.Match[str] | None) -> str:
    """What keeps a file of this name out; empty if nothing does."""
    if match is None:
        return "its name is not like URDU's SM1_F19_A019; rename or remove it"
    if int(match["person"]) > (MEN if match["gender"] == "M" else WOMEN):
        return f"URDU has no speaker {match['speaker']}; rename or remove it"
    if match["emotion"] not in EMOTIONS:
        return (
            f"its emotion {match['emotion']} is none of {', '.join(EMOTIONS)}; rename or remove it"
        )
    if not 1 <= int(match["number"]) <= OF_EACH:
        return f"its number {match['number']} is none of 1 to {OF_EACH}; rename or remove it"
    return ""
