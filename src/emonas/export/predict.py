"""Predicting named files: what `emonas predict` does."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from emonas.export.answers import NO_NUMBER, Answer
from emonas.export.model import Model
from emonas.export.output import Heard
from emonas.export.recordings import Piece, Recording, cut, find
from emonas.export.windows import Windows
from emonas.jobs import Progress, report_line

AT_A_TIME = 64
"""Recordings that are predicted together: what their features take, disk and memory must hold."""


def predict_files(
    model: Model,
    sources: Sequence[str],
    windows: Windows,
    domain: str | None = None,
    tell: Callable[[str], object] = report_line,
) -> list[Heard]:
    """Predict files, folders and standard input, in their order; what of a folder is skipped is
    told, a sentence each.

    A file that can't be heard is told with what is wrong with it, and the others are predicted.

    Raises:
        EmonasError: a name leads nowhere, or the domain is not known.
    """
    with TemporaryDirectory(prefix="emonas-") as folder:
        recordings = find(sources, Path(folder), tell=tell)
        progress = Progress("predict", len(recordings), every=5.0)
        heard: list[Heard] = []
        for some in _blocks(recordings):
            heard += _predict(model, some, windows, domain)
            progress.step(len(heard), some[-1].name)
    return heard


def _blocks(recordings: Sequence[Recording]) -> Iterator[Sequence[Recording]]:
    for start in range(0, len(recordings), AT_A_TIME):
        yield recordings[start : start + AT_A_TIME]


def _predict(
    model: Model, recordings: Sequence[Recording], windows: Windows, domain: str | None
) -> Iterator[Heard]:
    with TemporaryDirectory(prefix="emonas-") as name:
        cuts = []
        for number, recording in enumerate(recordings):
            folder = Path(name, str(number))
            folder.mkdir()
            cuts.append([] if recording.problem else cut(recording, windows, folder))
        pieces = [piece for own in cuts for piece in own if not piece.problem]
        answers = iter(model.predict(pieces, domain=domain) if pieces else [])
        for recording, own in zip(recordings, cuts, strict=True):
            yield _heard(recording, own, answers)


def _heard(recording: Recording, pieces: Sequence[Piece], answers: Iterator[Answer]) -> Heard:
    """A recording with the next answers, as many as it has pieces that can be heard; with what is
    wrong where none of them is one.
    """
    told = [
        Answer(piece.recording, piece.start, piece.end, {}, piece.problem)
        if piece.problem
        else next(answers)
        for piece in pieces
    ]
    if not told or any(not answer.problem for answer in told):
        return Heard(recording, told)
    problem = "it is silent in every window; remove it or record anew"
    if any(answer.problem == NO_NUMBER for answer in told):
        problem = f"{NO_NUMBER}; hear it in shorter windows (--step, --window, --longest)"
    return Heard(replace(recording, problem=problem), [])
