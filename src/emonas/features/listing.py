"""Which features there are, what each needs, and whether that is there."""

from __future__ import annotations

import importlib.util
import textwrap
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emonas.checkpoints.options import CheckpointOptions
from emonas.checkpoints.places import locate
from emonas.checkpoints.reading import files_of
from emonas.errors import EmonasError
from emonas.kinds import Family, all_kinds
from emonas.packages import ORIGINALS, missing_package

WIDTH = 100
GAP = "  "
NEEDS = {
    "checkpoint": "a checkpoint",
    "transcript": "words, said or heard",
    "file": "a file of yours",
}
"""What a kind needs that has an option of this name."""


@dataclass(frozen=True)
class Entry:
    """A line of a table; `reason` says what is missing, empty where nothing is."""

    cells: tuple[str, ...]
    reason: str = ""


def kind_lines() -> list[str]:
    """All extractors and recognisers: what each gives and needs, and whether it is installed."""
    lines: list[str] = []
    families: dict[Family, str] = {"extractor": "gives", "recogniser": "is"}
    for family, verb in families.items():
        entries = [_kind_entry(name, module) for name, module in all_kinds(family).items()]
        lines += [*_table((family, verb, "needs", "installed"), entries), ""]
    return lines + _wrapped(
        "Checkpoints, transcripts and files are named in a settings file; with one, this command "
        "says whether they are there: emonas features list SETTINGS"
    )


def settings_lines(
    settings: Any,
    missing: Callable[[str], str],
    missing_transcript: Callable[[str], str],
    missing_encoder: Callable[[str], str],
) -> list[str]:
    """The features and transcripts of a settings file, and the systems that train an encoder, and
    whether what they need is there.

    Args:
        settings: the checked settings.
        missing: says why a feature can't be had; empty where it can.
        missing_transcript: the same of a transcript.
        missing_encoder: the same of a system's encoder.
    """
    head = ("extractor", "needs", "there")
    features = [
        _settings_entry(settings, name, options.extractor, options, missing(name))
        for name, options in settings.features.items()
    ]
    transcripts = [
        _settings_entry(settings, name, options.recogniser, options, missing_transcript(name))
        for name, options in settings.transcripts.items()
    ]
    systems = [
        _settings_entry(settings, name, options.network, options, missing_encoder(name))
        for name, options in settings.systems.items()
        if getattr(options, "checkpoint", None) is not None
    ]
    lines = _table(("feature", *head), features)
    for family, kind, entries in (
        ("transcript", "recogniser", transcripts),
        ("system", "network", systems),
    ):
        if entries:
            lines += ["", *_table((family, kind, *head[1:]), entries)]
    return lines


def _kind_entry(name: str, module: Any) -> Entry:
    options = module.Options
    needs = [text for key, text in NEEDS.items() if key in options.model_fields]
    if options.package:
        needs.insert(0, f"package {options.package}")
    # Options that can stand without a word of the settings know more than whether the package is
    # there: the model of a package, for one.
    whole = not any(field.is_required() for field in options.model_fields.values())
    reason = options().missing if whole else missing_package(options.package, options.extra)
    gives = (module.__doc__ or "").split("\n", 1)[0].removesuffix(".")
    return Entry((name, gives, ", ".join(needs), "no" if reason else "yes"), reason)


def _settings_entry(settings: Any, name: str, kind: str, options: Any, reason: str) -> Entry:
    needs = [
        f"{key} {value}" for key in NEEDS if (value := getattr(options, key, None)) is not None
    ]
    if not needs and options.package:
        needs = [f"package {options.package}"]
    there = "yes"
    if not reason:
        there, reason = _parts(settings, options)
    if not reason and hasattr(options, "files"):
        there, reason = _own_files(options, settings.corpora)
    for family in ("features", "transcripts", "systems"):
        reason = reason.removeprefix(f"{family}.{name}: ")
    return Entry((name, kind, ", ".join(needs), "no" if reason else there), reason)


def _parts(settings: Any, options: Any) -> tuple[str, str]:
    """Whether the weights of a feature and of its transcript are there, and its backend."""
    told = []
    transcript = getattr(options, "transcript", None)
    for where, user in (("", options), (f"{transcript}: ", settings.transcripts.get(transcript))):
        checkpoint = getattr(user, "checkpoint", None)
        if checkpoint is not None:
            there, reason = _weights(checkpoint, settings.checkpoints[checkpoint])
            if reason:
                return "no", reason
            if there:
                told.append(f"{where}{there}")
    backend = getattr(options, "backend", "")
    if backend in ORIGINALS and importlib.util.find_spec(backend) is None:
        told.append(f"{backend} in envs/{backend}.yaml")
    return "; ".join(told) or "yes", ""


def _weights(name: str, options: CheckpointOptions) -> tuple[str, str]:
    """What is to be fetched of weights, empty if nothing is, and why they can't be had."""
    path = locate(options)
    if path is not None:
        return "", _other_size(name, options, path)
    if options.path is not None:
        return "", f"checkpoints.{name}.path: there is no file or folder {options.path}"
    size = "of unknown size" if options.size is None else f"{options.size / 1e6:,.0f} MB"
    return f"to be fetched, {size}", ""


def _other_size(name: str, options: CheckpointOptions, path: Path) -> str:
    """Say that local weights are not of the size that the settings give; empty where they are."""
    if options.size is None:
        return ""
    try:
        size = sum(file.stat().st_size for file in files_of(path).values())
    except EmonasError as error:
        return str(error)
    except OSError as error:
        return f"{path}: cannot be read ({error.strerror}); give the weights again"
    if size == options.size:
        return ""
    advice = (
        "delete it, and it is fetched again"
        if options.path is None and (options.address or options.hub)
        else "give the right file"
    )
    return (
        f"{path}: there are {size} bytes, and checkpoints.{name}.size is {options.size}; {advice}"
    )


def _own_files(options: Any, corpora: Iterable[str]) -> tuple[str, str]:
    """For which corpora the user's files are there, and what is missing where for none."""
    absent = {
        corpus: [path for path in options.files(corpus) if not path.exists()] for corpus in corpora
    }
    there = [corpus for corpus, paths in absent.items() if not paths]
    if len(there) == len(absent):
        return "yes", ""
    if there:
        return f"for {', '.join(there)}", ""
    return "no", f"there is no {next(iter(absent.values()))[0]}"


def _table(head: Sequence[str], entries: Sequence[Entry]) -> list[str]:
    """Aligned columns, the widest wrapped until a line is not too long; then the reasons."""
    rows = [tuple(head), *(entry.cells for entry in entries)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    while sum(widths) + len(GAP) * (len(head) - 1) > WIDTH:
        widths[widths.index(max(widths))] -= 1
    lines = [line for row in rows for line in _row(row, widths)]
    for entry in entries:
        if entry.reason:
            lines += _wrapped(f"{entry.cells[0]}: {entry.reason}")
    return lines


def _row(cells: Sequence[str], widths: Sequence[int]) -> list[str]:
    wrapped = [
        textwrap.wrap(cell, width, break_long_words=False, break_on_hyphens=False) or [""]
        for cell, width in zip(cells, widths, strict=True)
    ]
    height = max(map(len, wrapped))
    padded = [texts + [""] * (height - len(texts)) for texts in wrapped]
    return [
        GAP.join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip()
        for line in zip(*padded, strict=True)
    ]


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(
        text, WIDTH, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False
    )
