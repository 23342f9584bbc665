"""The kinds of results that a bundle has: what is left out of each, and whether it was put back."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from emonas.evaluate.tasks import edits_of
from emonas.export.strict_json import read_strictly
from emonas.storage.audit import Audit, read_audit_file, write_audit_file
from emonas.storage.digests import check_digest
from emonas.storage.inflated import TRAINED_HABITS
from emonas.storage.manifest import MANIFEST_COLUMNS, read_manifest
from emonas.storage.predictions import (
    ASR,
    Predictions,
    predicted_parts,
    predictions_outline,
    read_predictions,
    write_predictions,
)
from emonas.storage.tables import read_table, write_table


class Kept:
    """A result that a bundle has as it is."""

    def strip(self, source: Path, target: Path) -> None:
        """Write what a bundle has of a result.

        Raises:
            EmonasError: the result is missing or damaged.
        """
        shutil.copyfile(source, target)

    def holds_more(self, file: Path, stripped: Path) -> bool:
        """Whether a result holds what was left out where it was stripped, or what its writer never
        writes. Not by its bytes: another version of a library writes the same in others.

        Raises:
            EmonasError: the result is damaged.
        """
        return False


@dataclass(frozen=True)
class KeptTable(Kept):
    """A table of these columns and no others; a digest beside it is that of its bytes."""

    columns: Sequence[str]

    def holds_more(self, file: Path, stripped: Path) -> bool:
        """Whether it has other columns."""
        check_digest(file)
        return tuple(read_table(file).columns) != tuple(self.columns)


@dataclass(frozen=True)
class KeptNumbers(Kept):
    """A table of numbers but for the columns `texts`; of these `columns`, where they are known."""

    texts: Sequence[str] = ()
    columns: Sequence[str] | None = None

    def holds_more(self, file: Path, stripped: Path) -> bool:
        """Whether it has other columns, or a text among the numbers."""
        # A network that is only put together has no epochs.
        if not file.read_bytes().strip():
            return False
        table = read_table(file)
        if self.columns is not None and tuple(table.columns) != tuple(self.columns):
            return True
        numbers = table.drop(columns=list(self.texts), errors="ignore")
        return not all(cell == "" or _is_number(cell) for cell in numbers.to_numpy().flat)


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


class KeptManifest(KeptTable):
    """A manifest without texts and files."""

    def __init__(self) -> None:
        super().__init__(MANIFEST_COLUMNS)

    def strip(self, source: Path, target: Path) -> None:
        """Write it without them."""
        own = read_manifest(source)[list(MANIFEST_COLUMNS)]
        write_table(target, own.assign(audio="", text=""))

    def holds_more(self, file: Path, stripped: Path) -> bool:
        """Whether it has any of them, or other columns."""
        told = read_manifest(file)[["audio", "text"]]
        return bool((told != "").to_numpy().any()) or super().holds_more(file, stripped)


@dataclass(frozen=True)
class KeptDocument(Kept):
    """A JSON object of these keys and no others."""

    keys: frozenset[str]

    def holds_more(self, file: Path, stripped: Path) -> bool:
        """Whether it has other keys."""
        try:
            told = read_strictly(file)
        # Its reader names what is no JSON.
        except ValueError:
            return False
        return not isinstance(told, dict) or not self.keys.issuperset(told)


class KeptAudit(Kept):
    """An audit that quotes no text."""

    def strip(self, source: Path, target: Path) -> None:
        """Write it with numbers in the place of texts."""
        write_audit_file(target, without_texts(read_audit_file(source)))

    def holds_more(self, file: Path, stripped: Path) -> bool:
        """Whether it quotes any."""
        audit = read_audit_file(file)
        return without_texts(audit) != audit


@dataclass(frozen=True)
class KeptPredictions(Kept):
    """Predictions of these parts, without words."""

    parts: Sequence[str]

    def strip(self, source: Path, target: Path) -> None:
        """Write them with counted edits in the place of words."""
        found = {part: read_predictions(source, part) for part in self.parts_of(source)}
        write_predictions(target, {part: self.without(of) for part, of in found.items()})

    def parts_of(self, file: Path) -> Sequence[str]:
        """The parts that are kept of a file."""
        return self.parts

    def without(self, found: Predictions) -> Predictions:
        """The predictions of one part without what is left out."""
        return without_words(found)

    def holds_more(self, file: Path, stripped: Path) -> bool:
        """Whether they have words, other parts, or anything that the predictions of these parts
        have not.
        """
        return predictions_outline(file) != predictions_outline(stripped) or any(
            _has_words(read_predictions(file, part)) for part in self.parts_of(file)
        )


class KeptInflated(KeptPredictions):
    """Predictions after training under habits that inflate scores."""

    def __init__(self) -> None:
        super().__init__(TRAINED_HABITS)

    def parts_of(self, file: Path) -> Sequence[str]:
        """The habits that it was trained under."""
        return [part for part in predicted_parts(file) if part in self.parts]

    def without(self, found: Predictions) -> Predictions:
        """The answers about emotion alone, as they are written after training."""
        return replace(found, embedding=found.embedding[:, :0], tasks={})


def _has_words(found: Predictions) -> bool:
    return ASR in found.tasks and any((*found.tasks[ASR].truth, *found.tasks[ASR].said))


def without_words(found: Predictions) -> Predictions:
    """Predictions whose words, said and heard, are counted edits."""
    if ASR not in found.tasks:
        return found
    asr = found.tasks[ASR]
    none = ("",) * len(found.utterances)
    counted = replace(asr, truth=none, said=none, edits=edits_of(asr))
    return replace(found, tasks={**found.tasks, ASR: counted})


def without_texts(audit: Audit) -> Audit:
    """An audit that numbers the texts that cross, and quotes none."""
    named = [
        shared.name
        for crossing in audit.crossings
        if crossing.kind == "text"
        for shared in crossing.shared
    ]
    numbers = {name: f"text {number}" for number, name in enumerate(dict.fromkeys(named), 1)}
    crossings = tuple(
        crossing
        if crossing.kind != "text"
        else crossing.model_copy(
            update={
                "shared": tuple(
                    shared.model_copy(update={"name": numbers[shared.name]})
                    for shared in crossing.shared
                )
            }
        )
        for crossing in audit.crossings
    )
    return audit.model_copy(update={"crossings": crossings})
