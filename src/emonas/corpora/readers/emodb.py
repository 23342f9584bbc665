"""EmoDB (Burkhardt et al. 2005): German, ten actors, ten texts, seven emotions.

A name such as `03a01Fa.wav` is speaker 03, text a01, emotion F (Freude), version a.
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
    audio_files,
    given_root,
)

EXPECTED = Expected(utterances=535, speakers=10, sessions=0, sampling_rate=16000)
EMOTIONS = {
    "W": "angry",
    "L": "bored",
    "E": "disgusted",
    "A": "fearful",
    "F": "happy",
    "T": "sad",
    "N": "neutral",
}
GENDERS = dict.fromkeys(("03", "10", "11", "12", "15"), "male") | dict.fromkeys(
    ("08", "09", "13", "14", "16"), "female"
)
_NAME = re.compile(r"(?P<speaker>\d\d)(?P<text>[ab]\d\d)(?P<emotion>[A-Z])[a-z]?")


class Options(ReaderOptions):
    """Options of the EmoDB reader."""

    reader: Literal["emodb"] = Field(default="emodb", description="EmoDB, by its file names")
    texts: dict[str, str] = Field(
        default_factory=dict,
        description="the sentence of each text code (a01, ...); the code where none is given",
    )
    licence: str = Field(
        default="CC0 1.0", description="licence of the corpus, for an exported system's card"
    )


def read(options: Options, folder: Path) -> Listing:
    """List the recordings below the root; `folder` is not written to."""
    listing = Listing()
    for path in audio_files(given_root(options), listing):
        match = _NAME.fullmatch(path.stem)
        if match is None:
            listing.leave_out(path, "its name is not like EmoDB's 03a01Fa; rename or remove it")
        elif match["emotion"] not in EMOTIONS:
            listing.leave_out(
                path,
                f"its emotion {match['emotion']} is none of {', '.join(EMOTIONS)}; "
                "rename or remove it",
            )
        elif match["speaker"] not in GENDERS:
            listing.leave_out(path, f"EmoDB has no speaker {match['speaker']}; rename or remove it")
        else:
            listing.recordings.append(
                Recording(
                    utterance=path.stem,
                    audio=path,
                    emotion=EMOTIONS[match["emotion"]],
                    language="de",
                    speaker=match["speaker"],
                    gender=GENDERS[match["speaker"]],
                    style="scripted",
                    text=options.texts.get(match["text"], match["text"]),
                )
            )
    return listing
