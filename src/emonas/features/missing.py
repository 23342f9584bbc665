"""Utterances of a corpus that a file does not have."""

from collections.abc import Container, Sequence
from pathlib import Path

from emonas.jobs import report_line

SHOWN = 10


def told_missing(path: Path, corpus: str, utterances: Sequence[str], there: Container[str]) -> str:
    """Say how many utterances are missing, with the first names; empty where none is.

    Every missing name goes to the log.
    """
    missing = [utterance for utterance in utterances if utterance not in there]
    if not missing:
        return ""
    for utterance in missing:
        report_line(f"missing in {path}: {utterance}")
    shown = ", ".join(missing[:SHOWN]) + (", ..." if len(missing) > SHOWN else "")
    return f"{len(missing)} of {len(utterances)} utterances of {corpus} are missing ({shown})"
