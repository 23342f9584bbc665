"""Predicting named files: what `emonas predict` does."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from emonas.export.model import Model
from emonas.export.output import Heard
from emonas.export.recordings import Recording, Windows, cut, find
from emonas.jobs import Progress

AT_A_TIME = 64
"""Recordings that are predicted together: what their features take, disk and memory must hold."""


def predict_files(
    model: Model, sources: Sequence[str], windows: Windows, domain: str | None = None
) -> list[Heard]:
    """Predict files, folders and standard input, in their order.

    A file that can't be heard is told with what is wrong with it, and the others are predicted.

    Raises:
        EmonasError: a name leads nowhere, or the domain is not known.
    """
    with TemporaryDirectory(prefix="emonas-") as folder:
        recordings = find(sources, Path(folder))
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
        pieces = [piece for own in cuts for piece in own]
        answers = iter(model.predict(pieces, domain=domain) if pieces else [])
        for recording, own in zip(recordings, cuts, strict=True):
            yield Heard(recording, [next(answers) for _ in own])
