"""The right answers to tasks beside emotion, from the manifests: words, gender and style."""

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from emonas.errors import EmonasError
from emonas.storage.manifest import read_manifest
from emonas.storage.predictions import ASR, EMOTION
from emonas.storage.wording import normalised
from emonas.systems.options import SystemOptions
from emonas.systems.task_options import Task
from emonas.systems.tuned_options import TunedOptions

Manifests = Mapping[str, Path]
"""Manifests by corpus."""
Known = Mapping[str, Sequence[str]]
"""What is known of each utterance of a part, by task; empty text where nobody knows it."""
_MARKS = re.compile(r"\[[^\]]*\]")
"""What transcribers put between words: [LAUGHTER], [BREATHING]."""
_COLUMNS = {"asr": "text", "gender": "gender", "style": "style"}


def other_tasks(options: SystemOptions) -> tuple[Task, ...]:
    """The tasks of a system beside emotion."""
    if not isinstance(options, TunedOptions):
        return ()
    return tuple(task for task in options.tasks if task != EMOTION)


def tells_emotions(options: SystemOptions) -> bool:
    """Whether emotion is what a system learns, alone or among other tasks."""
    return not isinstance(options, TunedOptions) or EMOTION in options.tasks


def read_known(tasks: Iterable[str], table: pd.DataFrame, manifests: Manifests) -> Known:
    """What the manifests say of each utterance of a part, in its order; texts normalised, without
    what stands in square brackets, which is no word.

    Raises:
        EmonasError: a manifest is missing or damaged, or lacks an utterance.
    """
    tasks = tuple(tasks)
    if not tasks:
        return {}
    rows: dict[tuple[str, str], int] = {}
    read = []
    for corpus in sorted(set(table["corpus"]) & set(manifests)):
        manifest = read_manifest(manifests[corpus])
        start = len(rows)
        rows |= {(corpus, name): start + row for row, name in enumerate(manifest["utterance"])}
        read.append(manifest)
    found = pd.concat(read, ignore_index=True) if read else pd.DataFrame()
    places = [rows.get(key, -1) for key in zip(table["corpus"], table["utterance"], strict=True)]
    if -1 in places:
        missing = table.iloc[places.index(-1)]
        raise EmonasError(
            f"{missing['utterance']} of {missing['corpus']}: its manifest does not hold it, from "
            f"which {', '.join(tasks)} are learnt; run the corpora again"
        )
    known = {task: list(found[_COLUMNS[task]].iloc[places]) for task in tasks}
    if ASR in known:
        known[ASR] = [normalised(_MARKS.sub(" ", text)) for text in known[ASR]]
    return known


def learnt_answers(
    options: SystemOptions, path: Path, table: pd.DataFrame, known: Known
) -> dict[str, tuple[str, ...]]:
    """The answers that a system can give to each task: those of the training part.

    Of asr they are characters: those of the options, or else of the training part's texts.

    Args:
        options: of the system.
        path: the training part's file.
        table: the utterances that are learnt from.
        known: the right answers to them.

    Raises:
        EmonasError: there is nothing to tell apart, or a text has a character that is not among
            those of the options.
    """
    answers: dict[str, tuple[str, ...]] = {}
    for task, values in known.items():
        found = tuple(sorted(set("".join(values) if task == ASR else filter(None, values))))
        if not found or (task != ASR and len(found) < 2):
            there = f"there is {found[0]} only" if found else "no utterance has one"
            if task == ASR:
                there += " (one that is cut to longest_seconds has none)"
            raise EmonasError(
                f"{path}: of {_COLUMNS[task]}, which the task {task} learns, {there}; give the "
                f"corpora more, or leave {task} out of the system's tasks"
            )
        declared = getattr(options, "characters", None) if task == ASR else None
        if declared is not None:
            _refuse_other_characters(declared, path, table, values)
            found = tuple(sorted(set(declared)))
        answers[task] = found
    return answers


def _refuse_other_characters(
    declared: str, path: Path, table: pd.DataFrame, texts: Sequence[str]
) -> None:
    places = zip(table["corpus"], table["utterance"], texts, strict=True)
    for corpus, utterance, text in places:
        if other := sorted(set(text) - set(declared)):
            raise EmonasError(
                f"{path}: the text of {utterance} of {corpus} has the character {other[0]!r}, "
                f"which is not among the system's `characters`, {declared!r}; add it there, or "
                "leave `characters` out"
            )


def targets(
    known: Known, answers: Mapping[str, Sequence[str]]
) -> dict[str, list[npt.NDArray[np.int64]]]:
    """The numbers of the right answers; none where they are not known, or none of the answers.

    Of asr they count from 1, because 0 is CTC's blank; a character that nobody learnt is left out.
    """
    numbers = {
        task: {name: number for number, name in enumerate(names, int(task == ASR))}
        for task, names in answers.items()
    }
    return {
        task: [
            np.asarray(
                [numbers[task][part] for part in _parts(task, value) if part in numbers[task]],
                dtype=np.int64,
            )
            for value in values
        ]
        for task, values in known.items()
    }


def _parts(task: str, value: str) -> Sequence[str]:
    """A text's characters; any other answer is one."""
    return value if task == ASR else (value,)
