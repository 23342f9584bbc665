"""What the systems of a protocol reach on the test utterances of each of its domains."""

from collections.abc import Sequence
from typing import Any

from emonas.report.gather import ProtocolResults, SystemResults
from emonas.report.reached import bounds, deviation
from emonas.report.summary import (
    INTERVAL_NOTE,
    chance,
    warnings,
    what_mean_is,
)
from emonas.report.tables import Column, Row, Table


def domains_title(protocol: ProtocolResults) -> str:
    """What the scores are told apart by."""
    return f"By {protocol.domain}, under {protocol.name}"


def domains_summary(protocol: ProtocolResults) -> Table:
    """The systems by domain, and chance level as the last row."""
    rows = [_row(name, system) for name, system in protocol.emotional.items()]
    rows.append(_chance_row(protocol))
    columns = [Column("system", "System")]
    for domain in protocol.domains:
        columns += _columns(domain, rows)
    notes = [
        *warnings(protocol),
        f"Of each {protocol.domain} its test utterances alone, by models that learnt from all: UA "
        "is the mean recall of the classes that it has there, and chance is of these alone.",
        what_mean_is(next(iter(protocol.emotional.values())).metrics),
    ]
    if any(column.bounds for column in columns):
        notes.append(INTERVAL_NOTE)
    return Table(domains_title(protocol), tuple(columns), rows, tuple(notes))


def _row(name: str, system: SystemResults) -> dict[str, Any]:
    row: dict[str, Any] = {"system": name}
    for domain, within in system.metrics.domains.items():
        for metric, figure in (("ua", within.ua), ("wa", within.wa)):
            key = f"{domain}_{metric}"
            row[key] = figure.mean
            row[f"{key}_std"] = deviation(figure, system.metrics)
            row |= bounds(key, figure.interval)
    return row


def _chance_row(protocol: ProtocolResults) -> dict[str, Any]:
    row: dict[str, Any] = {"system": "chance", "what": "always the commonest class"}
    for system in protocol.systems.values():
        # All systems are tested on the same utterances.
        for domain, within in system.metrics.domains.items():
            row[f"{domain}_ua"], row[f"{domain}_wa"] = chance(within.confusion)
    return row


def _columns(domain: str, rows: Sequence[Row]) -> list[Column]:
    columns = []
    for metric in ("ua", "wa"):
        key = f"{domain}_{metric}"
        shown = key if any(f"{key}_low" in row for row in rows) else ""
        title = f"{domain}, {metric.upper()} (%)"
        columns.append(Column(key, title, "percent", f"{key}_std", shown))
    return columns
