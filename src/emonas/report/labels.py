"""Which class each emotion of another corpus counts as, in words and as a table."""

from typing import Any

from emonas.report.tables import Column, Table
from emonas.report.words import count, listed
from emonas.storage.audit import TransferAudit


def map_sentence(audit: TransferAudit, corpus: str) -> str:
    """Which class each emotion of the corpus counts as, and what is left out, in words."""
    counted = [f"{listed(sources)} as {label}" for label, sources in _sources(audit).items()]
    speakers = count(audit.speakers, "speaker") if audit.speakers else "unknown speakers"
    text = (
        f"Of {corpus}, {count(audit.utterances, 'utterance')} of {speakers} are tested: "
        f"{'; '.join(counted)}."
    )
    if audit.filtered:
        text += f" Filters and limit leave out {count(audit.filtered, 'utterance')} of these."
    if audit.left_out:
        left = [f"{emotion} ({number:,})" for emotion, number in audit.left_out.items()]
        text += f" Counted as no class: {listed(left)}."
    return text


def map_table(audit: TransferAudit, corpus: str) -> Table:
    """The emotions of the corpus and the classes here, and what is left out."""
    columns = (
        Column("emotion", f"Emotion in {corpus}"),
        Column("label", "Class here"),
        Column("utterances", "Utterances", "count"),
    )
    sources = _sources(audit)
    rows: list[dict[str, Any]] = [
        {
            "emotion": listed(sources.get(label, [])),
            "label": label,
            "utterances": audit.labels.get(label, 0),
        }
        for label in dict.fromkeys((*sources, *audit.labels))
    ]
    rows += [
        {"emotion": emotion, "label": "no class", "utterances": number}
        for emotion, number in audit.left_out.items()
    ]
    return Table(f"What the emotions of {corpus} count as", columns, rows)


def _sources(audit: TransferAudit) -> dict[str, list[str]]:
    """The emotions that count as each class."""
    sources: dict[str, list[str]] = {}
    for emotion, label in audit.map.items():
        sources.setdefault(label, []).append(emotion)
    return dict(sorted(sources.items()))
