"""The tables of a protocol: its systems, and every fold and seed."""

from collections.abc import Iterator, Sequence
from typing import Any

from emonas.report.gather import ProtocolResults
from emonas.report.reached import bounds, cells
from emonas.report.tables import Column, Row, Table
from emonas.report.tasks import task_cells, task_columns
from emonas.report.words import describe
from emonas.storage.metrics import FoldScore, Metrics

SYNTHETIC_WARNING = (
    "The speech is synthetic: these scores say that the pipeline works, not that it recognises "
    "emotion."
)
SPEAKER_DEPENDENT_WARNING = (
    "The protocol is speaker-dependent: speakers of the test part were heard in training, so its "
    "scores are no estimate for a new speaker."
)
INTERVAL_NOTE = (
    "The 95% interval says how far a score depends on who was tested and on the chance in "
    "training: 2000 times, as many speakers are drawn with replacement from those tested, each "
    "with all predictions for it, as many seeds, and as many folds where they test the same "
    "speakers, and the same mean is taken. Of one seed it tells nothing of the chance in training. "
    "There is none where fewer than five speakers were tested, or one is not known. Whether two "
    "systems differ is tested in pairs."
)
PAIRED_NOTE = (
    "In brackets behind a difference is its 95% interval: 2000 times both sides are taken of the "
    "same draw of speakers (with those that only one side tests), of seeds, and of folds where "
    "they test the same speakers. There is none where fewer than five speakers were tested, or one "
    "is not known. Each is of one difference alone, not corrected for how many there are."
)
_SYSTEM_COLUMNS = (
    Column("system", "System"),
    Column("ua", "UA (%)", "percent", "ua_std"),
    Column("ua", "95% interval", "interval"),
    Column("wa", "WA (%)", "percent", "wa_std"),
    Column("wa", "95% interval", "interval"),
    Column("ua_folds", "UA over folds", "percent", "ua_folds_std"),
    Column("ua_folds", "95% interval", "interval"),
    Column("wa_folds", "WA over folds", "percent", "wa_folds_std"),
    Column("wa_folds", "95% interval", "interval"),
    Column("parameters", "Parameters", "millions"),
    Column("parameters_search", "Search network", "millions"),
    Column("seeds", "Seeds", "count"),
    Column("what", "What it is"),
)
_FOLDS_NOTE = (
    "“Over folds” are means over folds, averaged over seeds; ± there is the standard deviation "
    "over folds."
)
_SCORES = 9
"""How many of these columns come before the tasks beside emotion."""
_FOLD_COLUMNS = (
    Column("system", "System"),
    Column("fold", "Fold"),
    Column("seed", "Seed"),
    Column("tested", "Tested on"),
    Column("ua", "UA (%)", "percent"),
    Column("ua", "95% interval", "interval"),
    Column("wa", "WA (%)", "percent"),
    Column("wa", "95% interval", "interval"),
    Column("utterances", "Utterances", "count"),
    Column("classes", "Classes", "count"),
    Column("speakers", "Speakers", "count"),
)
_FOLD_NOTE = (
    "The 95% interval of a fold is over its own speakers, of one seed: 2000 times, as many are "
    "drawn with replacement from those that it tests."
)


def warnings(protocol: ProtocolResults) -> tuple[str, ...]:
    """What must stand beside every score of a protocol."""
    found = [SYNTHETIC_WARNING] if protocol.synthetic else []
    if protocol.speaker_dependent:
        found.append(SPEAKER_DEPENDENT_WARNING)
    return (*found, *(overlap.warning for overlap in protocol.overlaps))


def across_warnings(protocol: ProtocolResults, corpus: str) -> tuple[str, ...]:
    """What must stand beside every score of a protocol's models on another corpus."""
    overlaps = [overlap for overlap in protocol.transfer_overlaps if overlap.corpus == corpus]
    found = [SYNTHETIC_WARNING] if protocol.is_synthetic_on(corpus) else []
    return (*found, *(overlap.warning for overlap in overlaps))


def transfer_warnings(protocol: ProtocolResults, corpus: str) -> tuple[str, ...]:
    """What must stand where scores within a protocol and on another corpus are side by side."""
    return tuple(dict.fromkeys((*across_warnings(protocol, corpus), *warnings(protocol))))


def chance(confusion: Sequence[Sequence[int]]) -> tuple[float, float]:
    """UA and WA of always answering the commonest class of what was tested."""
    totals = [sum(row) for row in confusion]
    present = [total for total in totals if total]
    return 1 / len(present), max(present) / sum(present)


def systems_summary(protocol: ProtocolResults) -> Table:
    """The systems of a protocol, and chance level as the last row."""
    rows: list[dict[str, Any]] = []
    for name, system in protocol.systems.items():
        metrics = system.metrics
        rows.append(
            {
                "system": name,
                "what": describe(name, system.card),
                **cells("ua", metrics.ua, metrics),
                **cells("wa", metrics.wa, metrics),
                **_folds_cells(metrics),
                **task_cells(metrics),
                "parameters": metrics.parameters.derived,
                "parameters_search": metrics.parameters.search,
                "seeds": metrics.seeds,
            }
        )
    for system in list(protocol.emotional.values())[:1]:
        ua, wa = chance(system.metrics.confusion)
        rows.append({"system": "chance", "what": "always the commonest class", "ua": ua, "wa": wa})
    first = next(iter(protocol.systems.values())).metrics
    notes = (*warnings(protocol), what_mean_is(first), _FOLDS_NOTE)
    if any("ua_low" in row for row in rows):
        notes = (*notes, INTERVAL_NOTE)
    tasks = task_columns(system.metrics for system in protocol.systems.values())
    columns = with_bounds((*_SYSTEM_COLUMNS[:_SCORES], *tasks, *_SYSTEM_COLUMNS[_SCORES:]), rows)
    return Table(f"Systems under {protocol.name}", columns, rows, notes)


def _folds_cells(metrics: Metrics) -> dict[str, float | None]:
    """Means and deviations over folds, and where folds are pooled the intervals: elsewhere those of
    the means stand there already.
    """
    several = len({fold.fold for fold in metrics.folds}) > 1
    row: dict[str, float | None] = {}
    for stem, figure in (("ua", metrics.ua), ("wa", metrics.wa)):
        if figure is not None:
            row[f"{stem}_folds"] = figure.folds_mean
            row[f"{stem}_folds_std"] = figure.folds_std if several else None
            if metrics.pooled:
                row |= bounds(f"{stem}_folds", figure.folds_interval)
    return row


def with_bounds(columns: tuple[Column, ...], rows: Sequence[Row]) -> tuple[Column, ...]:
    """The columns without the intervals that no row has."""
    there = {key for row in rows for key in row}
    return tuple(
        column for column in columns if column.kind != "interval" or there.issuperset(column.keys)
    )


def what_mean_is(metrics: Metrics) -> str:
    """What the means and deviations of a protocol are, in words."""
    if metrics.pooled:
        return (
            "UA and WA are those of a seed's test predictions pooled over all folds, each "
            "utterance once, averaged over seeds; ± is the standard deviation over seeds."
        )
    return (
        "UA and WA are means over folds, averaged over seeds; ± is the standard deviation over "
        "seeds, or over folds where a fold is a repeated random split."
    )


def folds_summary(protocol: ProtocolResults) -> Table:
    """UA and WA of every system, fold and seed, on the fold's test part, on what it has of each
    domain, and on other corpora.
    """
    rows = [
        {"system": name, "tested": tested, **_fold_cells(score)}
        for name, system in protocol.systems.items()
        for tested, scores in _tested(system.metrics)
        for score in scores
    ]
    several = protocol.domains or protocol.transfers
    columns = _FOLD_COLUMNS if several else _without(_FOLD_COLUMNS, "tested")
    caption = f"Every fold and seed under {protocol.name}"
    notes = (*warnings(protocol), *fold_notes(rows))
    return Table(caption, with_bounds(columns, rows), rows, notes)


def _fold_cells(score: FoldScore) -> dict[str, Any]:
    return {
        **score.model_dump(exclude={"ua_interval", "wa_interval"}),
        "seed": str(score.seed),
        **bounds("ua", score.ua_interval),
        **bounds("wa", score.wa_interval),
    }


def fold_notes(rows: Sequence[Row]) -> Iterator[str]:
    """What the intervals of folds are, and why there are none; a row that tells of no `speakers` is
    of several folds.
    """
    rows = [row for row in rows if "speakers" in row]
    if any("ua_low" in row for row in rows):
        yield _FOLD_NOTE
    without = [row["speakers"] for row in rows if row["ua"] is not None and "ua_low" not in row]
    if None in without:
        yield "Where a speaker is not known, a fold has no interval over speakers."
    known = [number for number in without if number is not None]
    if known and max(known) == 1:
        yield "Where one speaker is tested a fold, a fold has no interval over speakers."
    elif known:
        yield "Where fewer than five speakers are tested, a fold has no interval over speakers."


def _tested(metrics: Metrics) -> Iterator[tuple[str, Sequence[FoldScore]]]:
    yield "test part", metrics.folds
    for domain, within in metrics.domains.items():
        yield f"test part, {domain}", within.folds
    for corpus, there in metrics.transfer.items():
        yield corpus, there.folds


def _without(columns: Sequence[Column], key: str) -> tuple[Column, ...]:
    return tuple(column for column in columns if column.key != key)
