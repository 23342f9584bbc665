"""CaFE (Gournay et al. 2018): Canadian French, twelve actors, six sentences, seven emotions.

A name such as `01-C-2-6` is actor, emotion (C, colère), intensity and sentence; neutral speech has
no intensity: `01-N-6`. Odd actors are men.
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

EMOTIONS = {
    "C": "angry",
    "D": "disgusted",
    "J": "happy",
    "N": "neutral",
    "P": "fearful",
    "S": "surprised",
    "T": "sad",
}
ACTORS = tuple(f"{number:02}" for number in range(1, 13))
SENTENCES = tuple("123456")
STYLES = {"1": "weak", "2": "strong", "": "neutral"}
"""By intensity."""
_NAME = re.compile(r"(?P<actor>\d\d)-(?P<emotion>[A-Z])(-(?P<intensity>\d))?-(?P<sentence>\d)")
_EMOTION_FOLDER = re.compile(r"Col.*re|D.*go.*t|Joie|Neutre|Peur|Surprise|Tristesse")
"""Each begins with its emotion's letter; unpacking may have damaged the accents."""
_INTENSITY_FOLDER = re.compile("Faible|Fort")
_FOLDERS = {"1": "Faible", "2": "Fort"}


class Options(ReaderOptions):
    """Options of the CaFE reader."""

    reader: Literal["cafe"] = Field(
        default="cafe", description="CaFE, by its file names, as wav or AIFF"
    )
    licence: str = Field(
        default="CC BY-NC-SA 4.0",
        description="licence of the corpus, for an exported system's card",
    )
    intensity: Literal["strong", "all"] = Field(
        default="strong",
        description="`strong`: strong and neutral ones, 504 utterances as in Multi-gating NAS "
        "(our reading); `all`: weak ones too, 936",
    )
    texts: dict[str, str] = Field(
        default_factory=dict,
        description="the sentence of each number (1, ...); the number where none is given",
    )


def expected(options: Options) -> Expected:
    """The published size, of the intensities that are wanted; releases differ in their rate."""
    return Expected(
        utterances=len(ACTORS) * len(_endings(options)),
        speakers=len(ACTORS),
        sessions=0,
        sampling_rate=0,
    )


def read(options: Options, folder: Path) -> Listing:
    """List the recordings below the root; `folder` is not written to."""
    root = given_root(options)
    listing = Listing()
    for path, match in named_files(listing, root, _NAME, _problem):
        _add(path, match, _misplaced(path, root, match), options, listing)
    note_missing(
        listing,
        root,
        {f"actor {actor}": [f"{actor}-{end}" for end in _endings(options)] for actor in ACTORS},
        {recording.utterance for recording in listing.recordings},
    )
    return listing


def _endings(options: Options) -> list[str]:
    """What every actor's file names end with."""
    intensities = ("2",) if options.intensity == "strong" else ("1", "2")
    kinds = [
        f"{emotion}-{level}" for emotion in EMOTIONS if emotion != "N" for level in intensities
    ]
    return [f"{kind}-{sentence}" for kind in sorted([*kinds, "N"]) for sentence in SENTENCES]


def _problem(match: re.Match[str] | None) -> str:
    """What keeps a file of this name out; empty if nothing does."""
    if match is None:
        return "its name is not like CaFE's 01-C-1-1 or 01-N-1; rename or remove it"
    if match["actor"] not in ACTORS:
        return f"CaFE has no actor {match['actor']}; rename or remove it"
    if match["emotion"] not in EMOTIONS:
        return (
            f"its emotion {match['emotion']} is none of {', '.join(EMOTIONS)}; rename or remove it"
        )
    if match["sentence"] not in SENTENCES:
        return f"its sentence {match['sentence']} is none of 1 to 6; rename or remove it"
    if (match["intensity"] or "") not in (("",) if match["emotion"] == "N" else ("1", "2")):
        return "neutral speech has no intensity, any other 1 or 2; rename or remove it"
    return ""


def _misplaced(path: Path, root: Path, match: re.Match[str]) -> str:
    """How the folders contradict the name; empty if they do not."""
    folder = innermost_folder(path, root, _EMOTION_FOLDER)
    if folder and folder[0] != match["emotion"]:
        return f"it lies in {folder} and is named as of emotion {match['emotion']}"
    folder = innermost_folder(path, root, _INTENSITY_FOLDER)
    if folder and folder != _FOLDERS.get(match["intensity"]):
        return f"it lies in {folder} and is named as {STYLES[match['intensity'] or '']}"
    return ""


def _add(
    path: Path, match: re.Match[str], misplaced: str, options: Options, listing: Listing
) -> None:
    style = STYLES[match["intensity"] or ""]
    if style == "weak" and options.intensity == "strong":
        if misplaced:
            listing.leave_out(path, f"{misplaced}; rename or move it")
        return
    if misplaced:
        listing.note(path, misplaced, "used, as it is named")
    listing.recordings.append(
        Recording(
            utterance=path.stem,
            audio=path,
            emotion=EMOTIONS[match["emotion"]],
            language="fr",
            speaker=match["actor"],
            gender="male" if int(match["actor"]) % 2 else "female",
            style=style,
            text=options.texts.get(match["sentence"], match["sentence"]),
        )
    )
