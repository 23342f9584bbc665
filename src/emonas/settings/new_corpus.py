"""From a folder of recordings to a table and a settings file, for a person to check."""

from collections import Counter
from pathlib import Path, PurePath

import yaml

from emonas.corpora.guessing import Place, emotion_of, parts_of
from emonas.errors import EmonasError, one_line
from emonas.phrases import spelled_apart
from emonas.settings.found_corpus import Found
from emonas.storage.atomic import write_text
from emonas.storage.tables import write_rows

_FEWEST_SPEAKERS = 3
_SHOWN = 12
_FIRST = 3


def write_corpus(found: Found, name: str, output: Path) -> list[Path]:
    """Write `output`, a settings file for a first look, and for an unknown corpus the table beside
    it; gives both paths.

    Raises:
        EmonasError: one is there already, or no recording can be used.
    """
    if output.suffix not in (".yaml", ".yml"):
        raise EmonasError(f"{output}: a settings file ends in .yaml; name it so with --output")
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
    return [one_line(line) for line in _told(found)]


def _told(found: Found) -> list[str]:
    lines = [f"{len(found.usable)} recordings, {found.hours:.1f} h, below {found.root}"]
    if found.unusable:
        path, problem = found.unusable[0]
        lines.append(f"{len(found.unusable)} can't be used; the first is {path}: {problem}")
    lines += [sentence[0].upper() + sentence[1:] for sentence in found.skipped]
    if found.reader:
        lines.append(f"Their names are those of {found.reader}, whose reader knows the rest.")
        return [*lines, *_strange(found)]
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
        lines += [
            f"ONE PERSON OR SEVERAL? {', '.join(spelled)}: if it is one, write the name alike in "
            "all rows"
            for spelled in spelled_apart(values)
        ]
    if found.guess.others:
        lines.append(f"OR speaker: {', '.join(map(str, found.guess.others))}")
    return lines


def _strange(found: Found) -> list[str]:
    """What is said of files that the reader of a known corpus leaves out."""
    if not found.strange:
        return []
    first = ", ".join(map(str, found.strange[:_FIRST]))
    more = f" and {count - _FIRST} more" if (count := len(found.strange)) > _FIRST else ""
    return [
        f"NOT KNOWN to {found.reader}, which will leave them out: {count}: {first}{more}; rename "
        "them as the corpus names its files, or take them away"
    ]


def unguessed(found: Found, table: Path) -> str:
    """What has to be filled in before a run; empty where an emotion was guessed."""
    if found.reader or found.guess.emotion is not None:
        return ""
    return (
        f"no emotion was guessed: nothing in the files' names is a word for one; fill the column "
        f"emotion in {table}, a word a row, before you run it"
    )


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
