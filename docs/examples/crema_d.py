"""CREMA-D (Cao et al. 2014): English, 91 actors, 12 sentences, six emotions.

A name such as `1001_IEO_HAP_LO.wav` is actor 1001, sentence IEO, happy, of low intensity.
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

EXPECTED = Expected(utterances=7442, speakers=91, sessions=0, sampling_rate=0)
EMOTIONS = {
    "ANG": "angry",
    "DIS": "disgusted",
    "FEA": "fearful",
    "HAP": "happy",
    "NEU": "neutral",
    "SAD": "sad",
}
_NAME = re.compile(r"(?P<actor>\d{4})_(?P<text>[A-Z]{3})_(?P<emotion>[A-Z]{3})_[A-Z]{2}")


class Options(ReaderOptions):
    """Options of the CREMA-D reader."""

    reader: Literal["crema-d"] = Field("crema-d", description="CREMA-D, by its file names")


def read(options: Options, folder: Path) -> Listing:
    """List the recordings below the root; `folder` is not written to."""
    root, listing = given_root(options), Listing()
    for path, match in named_files(listing, root, _NAME, _problem):
        recording = Recording(
            utterance=path.stem,
            audio=path,
            emotion=EMOTIONS[match["emotion"]],
            language="en",
            speaker=match["actor"],
            text=match["text"],
        )
        listing.recordings.append(recording)
    return listing


def _problem(match: re.Match[str] | None) -> str:
    if match is None:
        return "its name is not like CREMA-D's 1001_IEO_HAP_LO; rename or remove it"
    known = match["emotion"] in EMOTIONS
    return "" if known else f"CREMA-D has no emotion {match['emotion']}; rename or remove it"
