"""MSP-IMPROV (Busso et al. 2017): English, six sessions of a woman and a man.

`MSP-IMPROV-S01A-F01-P-FM01` is sentence 01 with the intended emotion A, the woman of session 1,
scenario P, and a turn. The intended emotion is no label: that is what the raters agreed on.
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

EXPECTED = Expected(utterances=8438, speakers=12, sessions=6, sampling_rate=0)
EMOTIONS = {
    "A": "angry",
    "H": "happy",
    "S": "sad",
    "N": "neutral",
    "O": "other",
    "X": "no agreement",
}
STYLES = {"R": "read", "T": "target-improvised", "S": "improvised", "P": "natural"}
LABEL_FILES = ("Evalution.txt", "Evaluation.txt")
"""The first is how the release spells it."""
_NAME = re.compile(
    r"MSP-IMPROV-S\d\d[AHSN]-(?P<speaker>(?P<gender>[FM])0(?P<session>[1-6]))"
    r"-(?P<scenario>[RTSP])-[FM]{2}\d+"
)
_CONSENSUS = re.compile(r"UTD(?P<turn>-IMPROV-\S+)\.avi\s*;\s*(?P<emotion>[^;\s]+)\s*;")


class Options(ReaderOptions):
    """Options of the MSP-IMPROV reader."""

    reader: Literal["msp-improv"] = Field(
        default="msp-improv", description="MSP-IMPROV, by its folders session1 to session6"
    )
    licence: str = Field(
        default="its owner's, on request, for research",
        description="licence of the corpus, for an exported system's card",
    )


def read(options: Options, folder: Path) -> Listing:
    """List the recordings of all sessions; `folder` is not written to."""
    root = given_root(options)
    listing = Listing()
    labels_file = _labels_file(root)
    if labels_file is None:
        listing.leave_out(root, f"it holds no {' or '.join(LABEL_FILES)}; copy the labels there")
        return listing
    wavs = [path for session in _sessions(root) for path in visible_files(session, "*/*/*.wav")]
    if not wavs:
        listing.leave_out(
            root,
            "it holds no wav in folders session1 to session6, nor in Audio; "
            "give the folder that holds them as root",
        )
        return listing
    labels = _labels(labels_file, listing)
    texts = _texts(root, listing)
    for path in wavs:
        _add(path, labels.get(path.stem), labels_file, texts, listing)
    for name in sorted(set(labels) - {path.stem for path in wavs}):
        listing.leave_out(labels_file, f"{name} has a label and no wav; unpack the wavs again")
    return listing


def _sessions(root: Path) -> list[Path]:
    return visible_files(root / "Audio", "session[1-6]") or visible_files(root, "session[1-6]")


def _labels_file(root: Path) -> Path | None:
    """The first file of labels in the root or one folder below."""
    patterns = [below + name for below in ("", "*/") for name in LABEL_FILES]
    found = [path for pattern in patterns for path in visible_files(root, pattern)]
    return found[0] if found else None


def _labels(file: Path, listing: Listing) -> dict[str, str]:
    """Letters of the consensus by utterance; the raters' own lines do not begin with an id."""
    lines = file.read_text(encoding="utf-8-sig", errors="replace").splitlines()
    labels: dict[str, str] = {}
    for match in filter(None, map(_CONSENSUS.match, lines)):
        name = f"MSP{match['turn']}"
        if labels.setdefault(name, match["emotion"]) != match["emotion"]:
            listing.note(file, f"labels {name} twice, differently", "used, with the first label")
    return labels


def _texts(root: Path, listing: Listing) -> dict[str, str] | None:
    """Words by utterance; None, and one note for all, where the release came without them."""
    folder = root / "Text"
    if not folder.is_dir():
        listing.note(folder, "there is no such folder of transcripts", "used, without texts")
        return None
    return {
        path.stem: " ".join(path.read_text(encoding="utf-8-sig", errors="replace").split())
        for path in visible_files(folder, "*.txt")
    }


def _add(
    path: Path,
    letter: str | None,
    labels_file: Path,
    texts: dict[str, str] | None,
    listing: Listing,
) -> None:
    match = _NAME.fullmatch(path.stem)
    if match is None:
        listing.leave_out(
            path, "its name is not like MSP-IMPROV-S01A-F01-P-FM01; rename or remove it"
        )
        return
    if letter is None:
        listing.leave_out(path, f"{labels_file.as_posix()} does not label it; copy that file again")
        return
    if letter not in EMOTIONS:
        listing.leave_out(
            path,
            f"{labels_file.as_posix()} gives it the label {letter}, which is none of "
            f"{', '.join(EMOTIONS)}; correct it there",
        )
        return
    folder = next(part for part in reversed(path.parts) if part.startswith("session"))
    if folder != f"session{match['session']}":
        listing.note(
            path,
            f"it lies in {folder} and is named as of session {match['session']}",
            "used, as it is named",
        )
    text = "" if texts is None else texts.get(path.stem, "")
    if texts is not None and not text:
        listing.note(path, "no file in Text has its words", "used, without a text")
    listing.recordings.append(
        Recording(
            utterance=path.stem,
            audio=path,
            emotion=EMOTIONS[letter],
            language="en",
            speaker=match["speaker"],
            gender="male" if match["gender"] == "M" else "female",
            session=match["session"],
            style=STYLES[match["scenario"]],
            text=text,
        )
    )
