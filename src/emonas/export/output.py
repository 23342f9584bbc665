"""What is said of recordings, as a table for people, JSON or CSV."""

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from emonas.errors import one_line
from emonas.export.answers import Answer, likeliest
from emonas.export.recordings import Recording

Format = Literal["table", "json", "csv"]


@dataclass(frozen=True)
class Heard:
    """A recording with the answers for its pieces; none where it could not be heard."""

    recording: Recording
    answers: Sequence[Answer]

    @property
    def probabilities(self) -> dict[str, float]:
        """The mean over the pieces that have an answer."""
        heard = [answer.probabilities for answer in self.answers if not answer.problem]
        labels = list(heard[0])
        rows = [[probabilities[label] for label in labels] for probabilities in heard]
        return dict(zip(labels, map(float, np.mean(rows, axis=0)), strict=True))


def written(heard: Sequence[Heard], classes: Sequence[str], form: Format) -> str:
    """All recordings in one of the formats; a text that ends with its last line."""
    if form == "json":
        documents = [_document(one) for one in heard]
        return json.dumps(documents, indent=1, ensure_ascii=False, allow_nan=False)
    if form == "csv":
        return _csv(heard, classes)
    return "\n".join(_lines(heard, classes))


def _document(heard: Heard) -> dict[str, Any]:
    recording = heard.recording
    if recording.problem:
        return {"recording": recording.name, "problem": recording.problem}
    return {
        "recording": recording.name,
        "seconds": recording.seconds,
        "label": likeliest(heard.probabilities),
        "probabilities": heard.probabilities,
        "windows": [_window(answer) for answer in heard.answers],
    }


def _window(answer: Answer) -> dict[str, Any]:
    span = {"start": answer.start, "end": answer.end}
    if answer.problem:
        return {**span, "problem": answer.problem}
    return {**span, "label": answer.label, "probabilities": dict(answer.probabilities)}


def _csv(heard: Sequence[Heard], classes: Sequence[str]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["recording", "start", "end", "label", *classes, "problem"])
    for one in heard:
        if one.recording.problem:
            empty = [""] * (len(classes) + 3)
            writer.writerow([one.recording.name, *empty, one.recording.problem])
        for answer in one.answers:
            shares = answer.probabilities
            values = ["" if answer.problem else repr(shares[label]) for label in classes]
            span = [f"{answer.start:.3f}", f"{answer.end:.3f}"]
            writer.writerow([answer.recording, *span, answer.label, *values, answer.problem])
    return text.getvalue().rstrip("\n")


def _lines(heard: Sequence[Heard], classes: Sequence[str]) -> Iterator[str]:
    rows = [["recording", "seconds", "emotion", *classes]]
    for one in heard:
        rows += _rows(one, classes)
    widths = [
        max(len(row[column]) for row in rows if len(row) > 2) for column in range(len(rows[0]))
    ]
    for row in rows:
        if len(row) == 2:
            yield f"{row[0]:<{widths[0]}}  {row[1]}"
        else:
            cells = [f"{cell:<{width}}" for cell, width in zip(row[:3], widths[:3], strict=True)]
            cells += [f"{cell:>{width}}" for cell, width in zip(row[3:], widths[3:], strict=True)]
            yield "  ".join(cells).rstrip()


def _rows(heard: Heard, classes: Sequence[str]) -> Iterator[list[str]]:
    """A row a recording and, where it has several windows, one for each of them below it."""
    recording = heard.recording
    if recording.problem:
        yield [one_line(recording.name), recording.problem]
        return
    whole = f"{recording.seconds:.1f}"
    yield [one_line(recording.name), whole, *_cells(heard.probabilities, classes)]
    if len(heard.answers) > 1:
        for answer in heard.answers:
            span = f"{answer.start:.1f} to {answer.end:.1f}"
            if answer.problem:
                yield ["", span, answer.problem, *("" for _ in classes)]
            else:
                yield ["", span, *_cells(answer.probabilities, classes)]


def _cells(probabilities: Mapping[str, float], classes: Sequence[str]) -> list[str]:
    shares = [f"{100 * probabilities[label]:.1f}%" for label in classes]
    return [likeliest(probabilities), *shares]
