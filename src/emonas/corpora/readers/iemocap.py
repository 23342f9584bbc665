"""IEMOCAP (Busso et al. 2008): English, five sessions of a woman and a man.

Of `Ses01F_impro01_M003` the first letter says whose markers were recorded, and only the letter of
the last field says who speaks: the speaker is Ses01M. Taking the first letter gives ten speakers
too, and each of them holds the voices of both.
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
    visible_files,
)

EXPECTED = Expected(utterances=10039, speakers=10, sessions=5, sampling_rate=16000)
EMOTIONS = {
    "ang": "angry",
    "hap": "happy",
    "sad": "sad",
    "neu": "neutral",
    "exc": "excited",
    "dis": "disgusted",
    "fru": "frustrated",
    "fea": "fearful",
    "sur": "surprised",
    "oth": "other",
    "xxx": "no agreement",
}
_NAME = re.compile(r"Ses0(?P<session>\d)[FM]_(?P<style>impro|script)\w+_(?P<speaker>[FM])\w+")
_TURN = re.compile(r"\[[\d.]+ - [\d.]+\]\t(?P<turn>\S+)\t(?P<emotion>\S+)\t\[")
_SPOKEN = re.compile(r"(?P<turn>\S+) \[[\d.]+-[\d.]+\]: ?(?P<text>.*)")


class Options(ReaderOptions):
    """Options of the IEMOCAP reader."""

    reader: Literal["iemocap"] = Field(
        default="iemocap", description="IEMOCAP, by its folders Session1 to Session5"
    )
    licence: str = Field(
        default="its owner's, on request, for research",
        description="licence of the corpus, for an exported system's card",
    )


def read(options: Options, folder: Path) -> Listing:
    """List the recordings of all sessions; `folder` is not written to."""
    root = given_root(options)
    listing = Listing()
    sessions = sorted(path for path in root.glob("Session[1-5]") if path.is_dir())
    if not sessions:
        listing.leave_out(
            root, "it holds no folder Session1 to Session5; give the folder that holds them as root"
        )
    for session in sessions:
        _read_session(session, listing)
    return listing


def _read_session(session: Path, listing: Listing) -> None:
    labels: dict[str, tuple[str, Path]] = {}
    for file in visible_files(session / "dialog" / "EmoEvaluation", "*.txt"):
        labels |= {turn["turn"]: (turn["emotion"], file) for turn in _matches(_TURN, file)}
    texts: dict[str, str] = {}
    for file in visible_files(session / "dialog" / "transcriptions", "*.txt"):
        texts |= {turn["turn"]: turn["text"].strip() for turn in _matches(_SPOKEN, file)}
    heard = set()
    for path in visible_files(session / "sentences" / "wav", "*/*.wav"):
        heard.add(path.stem)
        _add(path, labels.get(path.stem), texts.get(path.stem), listing)
    for turn in sorted(set(labels) - heard):
        listing.leave_out(labels[turn][1], f"{turn} has a label and no wav; unpack the wavs again")


def _add(path: Path, label: tuple[str, Path] | None, text: str | None, listing: Listing) -> None:
    match = _NAME.fullmatch(path.stem)
    if match is None:
        listing.leave_out(path, "its name is not like Ses01F_impro01_M003; rename or remove it")
        return
    if label is None:
        listing.leave_out(path, "no file in dialog/EmoEvaluation labels it; unpack those again")
        return
    code, file = label
    if code not in EMOTIONS:
        listing.leave_out(
            path,
            f"{file.as_posix()} gives it the label {code}, which is none of "
            f"{', '.join(EMOTIONS)}; correct it there",
        )
        return
    if text is None:
        listing.note(path, "no file in dialog/transcriptions has its words", "used, without a text")
    listing.recordings.append(
        Recording(
            utterance=path.stem,
            audio=path,
            emotion=EMOTIONS[code],
            language="en",
            speaker=f"Ses0{match['session']}{match['speaker']}",
            gender="male" if match["speaker"] == "M" else "female",
            session=match["session"],
            style="improvised" if match["style"] == "impro" else "scripted",
            text=text or "",
        )
    )


def _matches(pattern: re.Pattern[str], file: Path) -> list[re.Match[str]]:
    lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    return [match for line in lines if (match := pattern.match(line))]
