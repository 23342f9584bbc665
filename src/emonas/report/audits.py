"""The audit of a protocol in plain words and tables."""

from dataclasses import dataclass

from emonas.report.tables import Column, Table
from emonas.report.words import count, listed
from emonas.storage.audit import Audit, Crossing, PartCounts
from emonas.storage.folds import PARTS

_WHY = {
    "allow": "allowed by the protocol",
    "declaration": "implied by the kind of protocol",
    "": "NOT ALLOWED",
}


@dataclass(frozen=True)
class CrossingLine:
    """What of one kind crosses between two parts, over all folds."""

    text: str
    allowed: bool


def crossing_lines(audit: Audit) -> list[CrossingLine]:
    """A sentence a kind, pair of parts and reason; the kinds of which nothing crosses come last."""
    groups: dict[tuple[str, tuple[str, str], str], list[Crossing]] = {}
    for crossing in audit.crossings:
        if crossing.shared:
            key = (crossing.kind, crossing.parts, crossing.because)
            groups.setdefault(key, []).append(crossing)
    lines = [
        CrossingLine(_sentence(kind, parts, crossings, _WHY[because]), because != "")
        for (kind, parts, because), crossings in groups.items()
    ]
    plurals = {
        "speaker": "known speakers" if unknown_speakers(audit) else "speakers",
        "session": "sessions",
        "text": "texts",
        "audio": "recordings",
    }
    clean = [plural for kind, plural in plurals.items() if kind not in {key[0] for key in groups}]
    if clean:
        lines.append(CrossingLine(f"No {listed(clean, 'or')} cross between the parts.", True))
    return lines


def unknown_speakers(audit: Audit) -> str:
    """A sentence on the utterances whose speaker nobody knows; empty where there are none."""
    folds = audit.folds.values()
    most = {
        part: max((fold[part].unknown_speakers for fold in folds if part in fold), default=0)
        for part in PARTS
    }
    counted = [f"{count(number, 'utterance')} of {part}" for part, number in most.items() if number]
    if not counted:
        return ""
    return (
        f"The speaker is unknown of {listed(counted)} (at most, in a fold): these are counted "
        "apart, and whether their speakers are in other parts too nobody can tell."
    )


def _sentence(kind: str, parts: tuple[str, str], crossings: list[Crossing], why: str) -> str:
    names = sorted({shared.name for crossing in crossings for shared in crossing.shared})
    noun = {"audio": "recording"}.get(kind, kind)
    return (
        f"{count(len(names), noun)} in both {parts[0]} and {parts[1]}, in "
        f"{count(len(crossings), 'fold')}: {why}{_shown(kind, names)}."
    )


def _shown(kind: str, names: list[str]) -> str:
    """Some names in brackets. A report is shown to others, who may not see a corpus's words."""
    if kind == "text":
        return ""
    shown = listed(names) if len(names) <= 6 else f"{', '.join(names[:5])} and more"
    return f" ({shown})"


def parts_table(audit: Audit) -> Table:
    """Speakers and utterances of each part of each fold."""
    columns = [Column("fold", "Fold")]
    for part in PARTS:
        columns += [
            Column(f"{part}_speakers", f"{part}: speakers", "count"),
            Column(f"{part}_utterances", "utterances", "count"),
        ]
    columns.append(Column("tested", "Tested speakers"))
    rows = []
    for fold, parts in audit.folds.items():
        row: dict[str, str | int] = {"fold": fold}
        for part in PARTS:
            counts = parts.get(part)
            row[f"{part}_speakers"] = len(counts.speakers) if counts else 0
            row[f"{part}_utterances"] = counts.utterances if counts else 0
        row["tested"] = _few(parts["test"]) if "test" in parts else ""
        rows.append(row)
    return Table(f"Parts of the folds of {audit.protocol}", tuple(columns), rows)


def _few(part: PartCounts) -> str:
    kept = sorted(part.speakers)
    few = kept if len(kept) <= 4 else [f"{', '.join(kept[:3])} and {len(kept) - 3} more"]
    return ", ".join([*few, *(["unknown ones"] if part.unknown_speakers else [])])


def classes_table(audit: Audit) -> Table:
    """Utterances of each class in each part, over all folds: the mean of a fold, and in tests."""
    columns = (
        Column("label", "Class"),
        *(Column(part, f"{part}, mean of a fold", "count") for part in PARTS),
        Column("tested", "tested in all", "count"),
        Column("lacking", "folds that test none", "count"),
    )
    folds = list(audit.folds.values())
    rows = []
    for label in audit.labels:
        counts = {
            part: [fold[part].labels.get(label, 0) if part in fold else 0 for fold in folds]
            for part in PARTS
        }
        row: dict[str, str | float] = {"label": label}
        row |= {part: sum(values) / max(1, len(values)) for part, values in counts.items()}
        row["tested"] = sum(counts["test"])
        row["lacking"] = counts["test"].count(0)
        rows.append(row)
    return Table(f"Classes under {audit.protocol}", columns, rows)
