"""Any corpus as a CSV table with the manifest's columns, of which only two are required."""

import os
from pathlib import Path
from typing import ClassVar, Literal

import pandas as pd
from pydantic import Field

from emonas.corpora.emotions import EMOTIONS
from emonas.corpora.reading import Listing, ReaderOptions, Recording, name_below
from emonas.errors import EmonasError
from emonas.storage.manifest import UNKNOWN_SPEAKER
from emonas.storage.tables import line_numbers, read_table

REQUIRED = ("audio", "emotion")
DEFAULTS = {"language": "", "gender": "", "session": "", "style": "", "text": ""}


class Options(ReaderOptions):
    """Options of the CSV reader."""

    needs_root: ClassVar[bool] = False

    reader: Literal["csv"] = Field(default="csv", description="a CSV table, an utterance a row")
    table: Path = Field(
        description="the table, in UTF-8: `audio` and `emotion`, and any of utterance, speaker, "
        "language, gender, session, style, text"
    )
    root: Path | None = Field(
        default=None, description="what `audio` is relative to; the table's folder if not given"
    )
    outside: bool = Field(
        default=False,
        description="whether `audio` may lead out of the root, as another folder's path or by ..; "
        "else such rows are left out",
    )
    labels: dict[str, str] = Field(
        default_factory=dict,
        description="the table's emotion names in ours; if given, a name that is neither here nor "
        "one of ours is left out, else every name passes as it is",
    )


def read(options: Options, folder: Path) -> Listing:
    """List the rows of the table; `folder` is not written to.

    Raises:
        EmonasError: the table is missing, is no CSV, lacks a required column, or names no emotion.
    """
    if not options.table.is_file():
        raise EmonasError(
            f"corpora.{folder.name}.table: there is no file {options.table}; correct the path"
        )
    table = read_table(options.table, REQUIRED)
    if len(table) and not table["emotion"].str.strip().any():
        raise EmonasError(
            f"{options.table}: no row names an emotion; fill the column emotion, a word a row"
        )
    root = options.table.parent if options.root is None else options.root
    listing = Listing()
    _note_speakers(options.table, table, listing)
    lines = line_numbers(options.table, len(table))
    for number, row in zip(lines, table.to_dict("records"), strict=True):
        cells = {str(name): str(value).strip() for name, value in row.items()}
        cells["audio"] = _as_named(root, str(row["audio"]))
        _add(options, root, number, cells, listing)
    return listing


def _note_speakers(path: Path, table: pd.DataFrame, listing: Listing) -> None:
    nameless = len(table)
    if "speaker" in table.columns:
        nameless = int((table["speaker"].str.strip() == "").sum())
    if nameless:
        listing.note(
            path,
            f"{nameless} of {len(table)} rows name no speaker; fill a column speaker",
            "used, with the speaker unknown: a protocol by speaker cannot part them",
        )


def _add(
    options: Options, root: Path, number: int, cells: dict[str, str], listing: Listing
) -> None:
    if not cells["audio"]:
        listing.leave_out(options.table, f"line {number} names no audio; fill it or remove it")
        return
    audio = root / cells["audio"]
    if not options.outside and _leads_out(root, audio):
        listing.leave_out(
            audio,
            f"line {number} of {options.table.as_posix()} leads out of {root.as_posix()}; move the "
            "file into it, or set outside: true",
        )
        return
    if not cells["emotion"]:
        listing.leave_out(
            audio, f"line {number} of {options.table.as_posix()} names no emotion; fill it"
        )
        return
    emotion = options.labels.get(cells["emotion"], cells["emotion"])
    if options.labels and emotion not in EMOTIONS:
        listing.leave_out(
            audio,
            f"line {number} of {options.table.as_posix()} has the emotion {emotion}, which is "
            "not known; add it to labels",
        )
        return
    known = {name: cells.get(name) or value for name, value in DEFAULTS.items()}
    listing.recordings.append(
        Recording(
            utterance=cells.get("utterance") or _name(root, cells["audio"]),
            audio=audio,
            emotion=emotion,
            speaker=cells.get("speaker") or UNKNOWN_SPEAKER,
            **known,
        )
    )


def _as_named(root: Path, audio: str) -> str:
    """Without blanks at its ends, unless a file has them in its name."""
    bare = audio.strip()
    return audio if bare and audio != bare and os.path.lexists(root / audio) else bare


def _leads_out(root: Path, audio: Path) -> bool:
    """Whether a path is that of no file below the root, by its text: links are followed."""
    inside = os.path.relpath(audio, root)
    return inside in (os.curdir, os.pardir) or inside.startswith(f"{os.pardir}{os.sep}")


def _name(root: Path, audio: str) -> str:
    path = Path(audio)
    if _leads_out(root, root / path):
        return path.stem
    return name_below(Path(os.path.relpath(root / path, root)))
