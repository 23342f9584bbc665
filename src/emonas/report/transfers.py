"""What the models of a protocol reach on the whole of another corpus."""

from typing import Any

from emonas.report.gather import ProtocolResults
from emonas.report.labels import map_sentence
from emonas.report.reached import bounds, cells
from emonas.report.summary import (
    INTERVAL_NOTE,
    chance,
    transfer_warnings,
    what_mean_is,
    with_bounds,
)
from emonas.report.tables import Column, Table
from emonas.report.words import listed
from emonas.storage.metrics import Transferred


def transfer_title(protocol: ProtocolResults, corpus: str) -> str:
    """From where to where."""
    return f"From {protocol.name} ({listed(protocol.corpora)}) to {corpus}"


def transfer_summary(protocol: ProtocolResults, corpus: str) -> Table:
    """The systems within their protocol and on another corpus, and chance level as the last row."""
    rows: list[dict[str, Any]] = []
    for name, system in protocol.emotional.items():
        metrics = system.metrics
        there = metrics.transfer[corpus]
        several = len({fold.fold for fold in there.folds}) > 1
        rows.append(
            {
                "system": name,
                **cells("ua", metrics.ua, metrics),
                **cells("wa", metrics.wa, metrics),
                "there_ua": there.ua.mean,
                "there_ua_std": there.ua.folds_std if several else None,
                **bounds("there_ua", there.ua.interval),
                "there_wa": there.wa.mean,
                "there_wa_std": there.wa.folds_std if several else None,
                **bounds("there_wa", there.wa.interval),
            }
        )
    first = next(iter(protocol.emotional.values())).metrics
    rows.append(_chance_row(first.confusion, first.transfer[corpus]))
    notes = [
        *transfer_warnings(protocol, corpus),
        map_sentence(protocol.audit.transfer[corpus], corpus),
        f"On {corpus}, UA and WA are means over the models of all folds and seeds, each tested on "
        "all of these utterances; ± is the standard deviation over folds.",
        f"Within {protocol.name}: {what_mean_is(first)}",
    ]
    there, known = first.transfer[corpus], first.labels
    present = sum(any(row) for row in there.confusion)
    if present < len(known):
        notes.append(
            f"{corpus} has {present} of the {len(known)} classes that the models know: UA is the "
            "mean over these, the models may answer any, and chance is of these alone."
        )
    if any(key.endswith("_low") for row in rows for key in row):
        notes.append(INTERVAL_NOTE)
    columns = with_bounds(_columns(corpus), rows)
    return Table(transfer_title(protocol, corpus), columns, rows, tuple(notes))


def _columns(corpus: str) -> tuple[Column, ...]:
    return (
        Column("system", "System"),
        Column("ua", "UA within (%)", "percent", "ua_std"),
        Column("ua", "95% interval", "interval"),
        Column("wa", "WA within (%)", "percent", "wa_std"),
        Column("wa", "95% interval", "interval"),
        Column("there_ua", f"UA on {corpus} (%)", "percent", "there_ua_std"),
        Column("there_ua", "95% interval", "interval"),
        Column("there_wa", f"WA on {corpus} (%)", "percent", "there_wa_std"),
        Column("there_wa", "95% interval", "interval"),
    )


def _chance_row(within: list[list[int]], there: Transferred) -> dict[str, Any]:
    row: dict[str, Any] = {"system": "chance", "what": "always the commonest class"}
    row["ua"], row["wa"] = chance(within)
    row["there_ua"], row["there_wa"] = chance(there.confusion)
    return row
