"""What lies in a folder of recordings that nobody knows."""

from dataclasses import dataclass
from pathlib import Path, PurePath

from emonas.corpora.audio import UnusableAudioError, inspect_audio
from emonas.corpora.guessing import Guess, guess
from emonas.corpora.reading import Listing, audio_files
from emonas.corpora.unread import unread_media
from emonas.errors import EmonasError
from emonas.jobs import Progress
from emonas.kinds import kind_module

KNOWN = ("cafe", "emodb", "emovo", "iemocap", "msp-improv", "ravdess", "urdu")
"""Readers of corpora that are known by their files' names."""
_KNOWN_SHARE = 0.9


@dataclass(frozen=True)
class Found:
    """What lies in a folder: what can be used, what can't, what was not looked at, and what the
    names seem to say.

    `reader` is that of a known corpus whose names these are, or empty; `strange` are the files that
    it does not know.
    """

    root: Path
    usable: tuple[PurePath, ...]
    hours: float
    unusable: tuple[tuple[PurePath, str], ...]
    reader: str
    guess: Guess
    skipped: tuple[str, ...] = ()
    strange: tuple[PurePath, ...] = ()


def look(root: Path) -> Found:
    """Look at every recording below a folder.

    Raises:
        EmonasError: the folder is not there, or holds no audio.
    """
    if root.is_file():
        raise EmonasError(
            f"{root}: is a file, and a corpus is a folder of recordings; give the folder that it "
            f"lies in, {root.parent}"
        )
    if not root.is_dir():
        raise EmonasError(f"{root}: there is no such folder; correct the name")
    listing = Listing()
    paths = sorted(audio_files(root, listing))
    skipped = [*unread_media(root), *(f"{one.file}: {one.problem}" for one in listing.problems)]
    if not paths:
        raise EmonasError("; ".join([f"{root}: there is no audio below this folder", *skipped]))
    progress = Progress("look", len(paths), every=5.0)
    usable, unusable, seconds = [], [], 0.0
    for number, path in enumerate(paths, 1):
        relative = path.relative_to(root)
        try:
            seconds += inspect_audio(path).seconds
            usable.append(relative)
        except UnusableAudioError as error:
            unusable.append((relative, str(error)))
        progress.step(number, str(relative))
    reader, known = _known(root, len(paths))
    strange = [path.relative_to(root) for path in paths if reader and path not in known]
    return Found(
        root,
        tuple(usable),
        seconds / 3600,
        tuple(unusable),
        reader,
        guess(usable or paths),
        tuple(skipped),
        tuple(strange),
    )


def _known(root: Path, count: int) -> tuple[str, frozenset[Path]]:
    """The reader that knows most of the files' names, and the files that it knows."""
    knows = {}
    for name in KNOWN:
        module = kind_module("reader", name)
        try:
            listing = module.read(module.Options(root=root), Path(name))
        except EmonasError:
            continue
        knows[name] = frozenset(recording.audio for recording in listing.recordings)
    best = max(knows, key=lambda name: len(knows[name]), default="")
    if not best or len(knows[best]) < _KNOWN_SHARE * count:
        return "", frozenset()
    return best, knows[best]
