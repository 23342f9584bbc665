"""From a folder of recordings to a table and a settings file, for a person to check."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path, PurePath

import yaml

from emonas.corpora.audio import UnusableAudioError, inspect_audio
from emonas.corpora.guessing import Guess, Place, emotion_of, guess, parts_of
from emonas.corpora.reading import Listing, audio_files
from emonas.errors import EmonasError
from emonas.jobs import Progress
from emonas.kinds import kind_module
from emonas.storage.atomic import write_text
from emonas.storage.tables import write_rows

KNOWN = ("cafe", "emodb", "emovo", "iemocap", "msp-improv", "ravdess", "urdu")
"""Readers of corpora that are known by their files' names."""
_KNOWN_SHARE = 0.9
_FEWEST_SPEAKERS = 3
_SHOWN = 12


@dataclass(frozen=True)
class Found:
    """What lies in a folder: what can be used, what can't, and what the names seem to say.

    `reader` is that of a known corpus whose names these are, or empty.
    """

    root: Path
    usable: tuple[PurePath, ...]
    hours: float
    unusable: tuple[tuple[PurePath, str], ...]
    reader: str
    guess: Guess


def look(root: Path) -> Found:
    """Look at every recording below a folder.

    Raises:
        EmonasError: the folder is not there, or holds no audio.
    """
    if not root.is_dir():
        raise EmonasError(f"{root}: there is no such folder; correct the name")
    paths = sorted(audio_files(root, Listing()))
    if not paths:
        raise EmonasError(f"{root}: there is no audio below this folder")
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
    reader = _known(root, len(paths))
    return Found(
        root, tuple(usable), seconds / 3600, tuple(unusable), reader, guess(usable or paths)
    )


def _known(root: Path, count: int) -> str:
    """The reader that knows most of the files' names."""
    knows = {}
    for name in KNOWN:
        module = kind_module("reader", name)
        try:
            listing = module.read(module.Options(root=root), Path(name))
        except EmonasError:
            continue
        knows[name] = len(listing.recordings) / count
    best = max(knows, key=lambda name: knows[name], default="")
    return best if best and knows[best] >= _KNOWN_SHARE else ""


def write_corpus(found: Found, name: str, output: Path) -> list[Path]:
    """Write `output`, a settings file for a first look, and for an unknown corpus the table beside
    it; gives both paths.

    Raises:
        EmonasError: one is there already, or no recording can be used.
    """
    table = output.with_suffix(".csv")
    written = [output] if found.reader else [table, output]
    for path in written:
        if path.exists():
            raise EmonasError(f"{path}: is there already; name another with --output")
    if not found.usable:
        raise EmonasError(f"{found.root}: no recording below it can be used; see the list above")
    if not found.reader:
        write_rows(table, _rows(found), ("audio", "emotion", "speaker"))
    write_text(output, _settings(found, name, table))
    return written


def _rows(found: Found) -> list[dict[str, str]]:
    return [
        {
            "audio": path.as_posix(),
            "emotion": _value(path, found.guess.emotion),
            "speaker": _value(path, found.guess.speaker),
        }
        for path in found.usable
    ]


def _value(path: PurePath, place: Place | None) -> str:
    return parts_of(path).get(place, "") if place else ""


def _settings(found: Found, name: str, table: Path) -> str:
    root = str(found.root)
    corpus: dict[str, object]
    if found.reader:
        corpus = {"reader": found.reader, "root": root}
        test: dict[str, object] = {"test": "speaker", "validate": "speaker", "allow": ["text"]}
    else:
        labels = {value: emotion for value, emotion in _labels(found).items() if value != emotion}
        corpus = {"reader": "csv", "table": str(table), "root": root}
        corpus |= {"labels": labels} if labels else {}
        test = _protocol(found)
    document = {
        "title": f"A first look at {name}",
        "corpora": {name: corpus},
        "protocols": {name: {"corpora": [name], **test}},
        "features": {"fbank": {"extractor": "fbank"}},
        "systems": {
            "linear": {
                "network": "linear",
                "inputs": [{"feature": "fbank", "statistics": True}],
            }
        },
        "runs": [{"protocol": name, "systems": ["linear"]}],
    }
    head = "\n".join(f"# {line}" for line in [*told(found), "", *_next(found, table)])
    return f"{head}\n{yaml.safe_dump(document, sort_keys=False, allow_unicode=True)}"


def _labels(found: Found) -> dict[str, str]:
    """The emotion of each value that names one."""
    values = (_value(path, found.guess.emotion) for path in found.usable)
    return {value: emotion for value in dict.fromkeys(values) if (emotion := emotion_of(value))}


def _protocol(found: Found) -> dict[str, object]:
    speakers = {_value(path, found.guess.speaker) for path in found.usable}
    if found.guess.speaker and len(speakers) >= _FEWEST_SPEAKERS:
        return {"test": "speaker", "validate": "speaker"}
    return {"test": "random", "repeats": 3}


def told(found: Found) -> list[str]:
    """What was found, a line each, for the terminal and the head of the settings file."""
    lines = [f"{len(found.usable)} recordings, {found.hours:.1f} h, below {found.root}"]
    if found.unusable:
        path, problem = found.unusable[0]
        lines.append(f"{len(found.unusable)} can't be used; the first is {path}: {problem}")
    if found.reader:
        return [*lines, f"Their names are those of {found.reader}, whose reader knows the rest."]
    emotion, speaker = found.guess.emotion, found.guess.speaker
    if emotion is None:
        lines.append("GUESSED emotion: none; no part of the names is a word for one")
    else:
        labels = _labels(found)
        values = Counter(_value(path, emotion) for path in found.usable)
        known = Counter({labels[v]: 0 for v in labels})
        for value, count in values.items():
            if value in labels:
                known[labels[value]] += count
        lines.append(f"GUESSED emotion: {emotion}: {_listed(known)}")
        if unknown := Counter({v: n for v, n in values.items() if v not in labels}):
            lines.append(f"NOT KNOWN there: {_listed(unknown)}")
    if speaker is None:
        lines.append("GUESSED speaker: none; no part of the names is that of several recordings")
    else:
        values = Counter(_value(path, speaker) for path in found.usable)
        lines.append(f"GUESSED speaker: {speaker}: {_listed(values)}")
    if found.guess.others:
        lines.append(f"OR speaker: {', '.join(map(str, found.guess.others))}")
    return lines


def _listed(values: Counter[str]) -> str:
    ordered = sorted(values.items(), key=lambda pair: (-pair[1], pair[0]))
    shown = [f"{value} {count}" for value, count in ordered[:_SHOWN]]
    more = f" and {len(values) - _SHOWN} more" if len(values) > _SHOWN else ""
    return ", ".join(shown) + more


def _next(found: Found, table: Path) -> list[str]:
    if found.reader:
        return ["Check it with `emonas check`, and run it with make run CONFIG=..."]
    return [
        f"CHECK BOTH GUESSES in {table}: listen to some recordings, and correct the",
        "columns emotion and speaker. An emotion that is empty is left out; `labels` below gives",
        "each name in ours. Where speakers are wrong or unknown, every score is too good: the same",
        "voices are heard in training and test.",
    ]
