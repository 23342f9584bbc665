"""What every reader has in common: its options, and what it gives back."""

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import ClassVar

from pydantic import Field

from emonas.corpora.tree import read_tree
from emonas.options import Options
from emonas.storage.manifest import UNKNOWN_SPEAKER, Problem

AUDIO_SUFFIXES = (
    ".wav",
    ".wave",
    ".bwf",
    ".flac",
    ".aiff",
    ".aif",
    ".ogg",
    ".oga",
    ".opus",
    ".mp3",
)
WORKING_RATE = 16000
"""Hz; the features resample to it, so copies of a corpus at this rate are as good as its own."""


class ReaderOptions(Options):
    """What every corpus can be told; a reader narrows `reader` to its own name."""

    needs_root: ClassVar[bool] = True
    synthetic: ClassVar[bool] = False

    reader: str = Field(description="the reader, named as its module")
    root: Path | None = Field(
        default=None, description="the folder of the corpus; runs that need it are skipped without"
    )
    licence: str = Field(
        default="", description="licence of the corpus, for the card of an exported system"
    )


@dataclass(frozen=True)
class Recording:
    """What a reader knows of one utterance from names and label files, without its audio."""

    utterance: str
    audio: Path
    emotion: str
    language: str = ""
    speaker: str = UNKNOWN_SPEAKER
    gender: str = ""
    session: str = ""
    style: str = ""
    text: str = ""


@dataclass
class Listing:
    """What a reader found, and what it could not use."""

    recordings: list[Recording] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def leave_out(self, file: Path, problem: str) -> None:
        """Note a file that cannot be used."""
        self.problems.append(Problem(file.as_posix(), problem))

    def note(self, file: Path, problem: str, consequence: str) -> None:
        """Note a shortcoming of a file that is used all the same."""
        self.problems.append(Problem(file.as_posix(), problem, consequence))


@dataclass(frozen=True)
class Expected:
    """The published size of a corpus; `sampling_rate` in Hz, 0 where releases differ; no sessions
    are 0.
    """

    utterances: int
    speakers: int
    sessions: int
    sampling_rate: int


def published_size(reader: ModuleType, options: ReaderOptions) -> Expected | None:
    """What a reader expects: `expected(options)` where the options change it, else `EXPECTED`."""
    size: Expected | None = (
        reader.expected(options)
        if hasattr(reader, "expected")
        else getattr(reader, "EXPECTED", None)
    )
    return size


def note_missing(
    listing: Listing, root: Path, groups: Mapping[str, Collection[str]], found: Collection[str]
) -> None:
    """Note what is not there of a corpus whose files are known by name, group by group.

    Where nothing was found at all, nothing is noted: this is another corpus.
    """
    for group, names in groups.items() if found else ():
        missing = [name for name in names if name not in found]
        if not missing:
            continue
        told = f"of {group}, {', '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing"
        if len(missing) == len(names):
            told = f"there is no file of {group}"
        listing.note(root, f"{told}; unpack the corpus again", "used, without them")


def visible_files(folder: Path, pattern: str) -> list[Path]:
    """What a pattern finds in a folder, sorted; the `._*` files that macOS leaves are nothing."""
    return sorted(path for path in folder.glob(pattern) if not path.name.startswith("._"))


def audio_files(root: Path, listing: Listing) -> list[Path]:
    """Every audio file below `root`, sorted; what can't be read goes on the listing."""
    tree = read_tree(root)
    found = {path for path in tree.paths if path.suffix.lower() in AUDIO_SUFFIXES}
    for path, problem in tree.left_out:
        # What is named as audio is inspected, and listed then.
        if path not in found:
            listing.leave_out(path, problem)
    return sorted(path for path in found if not path.name.startswith("._"))


def named_files(
    listing: Listing,
    root: Path,
    pattern: re.Pattern[str],
    problem: Callable[[re.Match[str] | None], str],
) -> Iterator[tuple[Path, re.Match[str]]]:
    """Every audio file below `root` whose name fits, with the match; others are left out.

    `problem` says what keeps a file of a name out, given the match or None, and is empty if nothing
    does.
    """
    for path in audio_files(root, listing):
        match = pattern.fullmatch(path.stem)
        reason = problem(match)
        if match is None or reason:
            listing.leave_out(path, reason)
        else:
            yield path, match


def given_root(options: ReaderOptions) -> Path:
    """The root of a corpus whose options were checked to have one."""
    if options.root is None:
        raise ValueError(f"the reader {options.reader} needs a root")
    return options.root


def innermost_folder(path: Path, root: Path, pattern: re.Pattern[str]) -> str:
    """The nearest folder between a file and the root whose whole name fits; empty if none does."""
    folders = reversed(path.relative_to(root).parts[:-1])
    return next((folder for folder in folders if pattern.fullmatch(folder)), "")


def name_below(relative: Path) -> str:
    """An utterance's name from its path below the root: `happy/b 1.wav` is `happy_b 1`."""
    return "_".join([*relative.parts[:-1], relative.stem])
