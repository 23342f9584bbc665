"""What every reader has in common: its options, and what it gives back."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from pydantic import Field

from emonas.options import Options
from emonas.storage.manifest import UNKNOWN_SPEAKER, Problem

AUDIO_SUFFIXES = (".wav", ".flac", ".aiff", ".aif", ".ogg", ".mp3")
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


def visible_files(folder: Path, pattern: str) -> list[Path]:
    """What a pattern finds in a folder, sorted; the `._*` files that macOS leaves are nothing."""
    return sorted(path for path in folder.glob(pattern) if not path.name.startswith("._"))


def audio_files(root: Path) -> Iterator[Path]:
    """Every audio file below `root`, sorted."""
    for path in visible_files(root, "**/*"):
        if path.suffix.lower() in AUDIO_SUFFIXES:
            yield path


def given_root(options: ReaderOptions) -> Path:
    """The root of a corpus whose options were checked to have one."""
    if options.root is None:
        raise ValueError(f"the reader {options.reader} needs a root")
    return options.root


def name_below(relative: Path) -> str:
    """An utterance's name from its path below the root: `happy/b 1.wav` is `happy_b 1`."""
    return "_".join(relative.with_suffix("").parts)
