"""The papers' tables: published and own figures side by side."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from emonas.report.options import ERROR_RATES, ColumnOptions, RowOptions, TableOptions
from emonas.report.own import Own, OwnFigures
from emonas.report.summary import INTERVAL_NOTE, PAIRED_NOTE
from emonas.report.tables import Column, Table
from emonas.report.tasks import TASK_METRICS
from emonas.report.words import listed

NOT_RUN = "not run"
STAGE_MARK = "*"
"""Stands behind a figure that is that of the first stage."""
SYNTHETIC_DIFFERENCE = "synthetic"
INSIDE, OUTSIDE = "inside", "outside"
"""Where a published figure lies, by the 95% interval of our own."""
_WITHIN_NOTE = (
    "Inside and outside say whether a published figure lies within the interval of ours; papers "
    "print none of theirs."
)
_METRICS = {
    "ua": "UA",
    "wa": "WA",
    "parameters": "Parameters",
    "wer": "word error rate",
    "cer": "character error rate",
    **{name: words for name, (*_, words) in TASK_METRICS.items()},
}


@dataclass(frozen=True)
class Entry:
    """A row: the path of its key in the settings, its name, and what it shows."""

    path: str
    label: str
    row: RowOptions


@dataclass(frozen=True)
class _Line:
    """A row with its own figures by column."""

    entry: Entry
    own: Mapping[str, Own]


def paper_summary(own: OwnFigures, name: str, options: TableOptions) -> Table:
    """One paper's table; a difference is ours less the published figure, in points.

    Figures on synthetic speech get no difference: they measure another thing than the paper.

    Raises:
        EmonasError: a row's system or protocol is not known.
    """
    entries = [
        Entry(f"tables.{name}.rows.{label}", label, row) for label, row in options.rows.items()
    ]
    return summary(own, name, entries, options)


def summary(own: OwnFigures, name: str, entries: Iterable[Entry], options: TableOptions) -> Table:
    """The table of some rows; `options` say all but those.

    Raises:
        EmonasError: a row's system or protocol is not known.
    """
    lines = [
        _Line(
            entry,
            {
                title: own.of(entry.path, title, column, entry.row, options.protocol)
                for title, column in options.columns.items()
            },
        )
        for entry in entries
    ]
    return Table(
        options.title or name,
        _columns(options, lines),
        [_row(line, options) for line in lines],
        tuple(dict.fromkeys(_notes(options, lines))),
    )


def _row(line: _Line, options: TableOptions) -> dict[str, Any]:
    row = line.entry.row
    reached = [own.protocol for own in line.own.values() if own.protocol]
    cells: dict[str, Any] = {
        "row": line.entry.label,
        "system": row.system,
        "transcript": row.transcript,
        "protocol": ", ".join(dict.fromkeys(reached)),
    }
    for name in options.columns:
        own, published = line.own[name], row.published.get(name)
        cells[f"{name}_published"] = published
        cells[f"{name}_own"] = NOT_RUN if own.missing else own.value
        cells[f"{name}_own_std"] = own.spread
        cells[f"{name}_own_mark"] = STAGE_MARK if own.stage else None
        cells[f"{name}_own_low"], cells[f"{name}_own_high"] = own.interval or (None, None)
        cells[f"{name}_search"] = own.search
        if isinstance(published, float) and own.value is not None:
            difference = SYNTHETIC_DIFFERENCE if own.synthetic else own.value - published
            cells[f"{name}_difference"] = difference
            cells[f"{name}_within"] = _within(own, published)
    return cells


def _within(own: Own, published: float) -> str | None:
    """Where a published figure lies; none where that can't be told, or the speech is another."""
    if own.interval is None or own.synthetic:
        return None
    low, high = own.interval
    return INSIDE if low <= published <= high else OUTSIDE


def _columns(options: TableOptions, lines: Sequence[_Line]) -> tuple[Column, ...]:
    """What tells the rows apart, and of each column what any row has."""
    columns = [Column("row", "Row")]
    scores = [column for column in options.columns.values() if column.metric not in ERROR_RATES]
    if scores:
        columns.append(Column("system", "Our system"))
    if any(column.protocol is None for column in scores):
        columns.append(Column("protocol", "Protocol"))
    if len(scores) < len(options.columns):
        columns.append(Column("transcript", "Our transcript"))
    for name, column in options.columns.items():
        published = any(name in line.entry.row.published for line in lines)
        columns += _columns_of(name, column, [line.own[name] for line in lines], published)
    return tuple(columns)


def _columns_of(
    name: str, column: ColumnOptions, figures: Sequence[Own], published: bool
) -> Iterable[Column]:
    title = _METRICS.get(name, name)
    bounds = f"{name}_own" if any(own.interval for own in figures) else ""
    if column.less is not None:
        yield Column(f"{name}_own", f"{title} (points)", "points", bounds=bounds)
        return
    own_title = f"{title}, own"
    if column.metric == "parameters":
        if published:
            yield Column(f"{name}_published", f"{title}, published", "millions")
        yield Column(f"{name}_own", own_title, "millions")
        if any(own.search is not None for own in figures):
            yield Column(f"{name}_search", f"{title}, search network", "millions")
        return
    if published:
        yield Column(f"{name}_published", f"{title} (%), published", "percent")
    shown = own_title if published else f"{title} (%)"
    # Error rates are of one recogniser that runs once: they have nothing to deviate.
    spread = "" if column.metric in ERROR_RATES else f"{name}_own_std"
    mark = f"{name}_own_mark" if any(own.stage for own in figures) else ""
    yield Column(f"{name}_own", shown, "percent", spread, bounds, mark)
    if published:
        yield Column(f"{name}_difference", f"{title}, difference", "points")
        if any(own.interval and not own.synthetic for own in figures):
            yield Column(f"{name}_within", f"{title}, published is")


def _notes(options: TableOptions, lines: Sequence[_Line]) -> Iterable[str]:
    if options.source:
        yield f"From {options.source}."
    for name, column in options.columns.items():
        if said := _what(column):
            yield f"{name}: {said}."
    for line in lines:
        if line.entry.row.note:
            yield f"{line.entry.label}: {line.entry.row.note}"
    others = [line.entry.label for line in lines if _is_others(line.entry.row)]
    if others:
        yield f"{listed(others)}: as the paper prints them; no system of ours stands for them."
    figures = [(line.entry.label, own) for line in lines for own in line.own.values()]
    yield from reasons_of(figures)
    stages = dict.fromkeys((label, own.stage) for label, own in figures if own.stage)
    if stages:
        told = listed(f"{label} from {stage}" for label, stage in stages)
        yield f"* is that of the system that a row starts from, which has that task: {told}."
    yield from options.notes
    yield from _interval_notes(options, lines)
    if any(_row(line, options).get(f"{name}_within") for line in lines for name in options.columns):
        yield _WITHIN_NOTE
    for _, own in figures:
        yield from own.warnings


def _interval_notes(options: TableOptions, lines: Sequence[_Line]) -> Iterable[str]:
    """What the intervals of figures are, and those of differences."""
    shown = [name for name in options.columns if any(line.own[name].interval for line in lines)]
    if any(options.columns[name].less is None for name in shown):
        yield INTERVAL_NOTE
    if any(options.columns[name].less is not None for name in shown):
        yield PAIRED_NOTE


def _is_others(row: RowOptions) -> bool:
    """Whether a row is there for what the paper prints alone."""
    return row.system is None and not row.transcript and bool(row.published) and not row.note


def reasons_of(figures: Sequence[tuple[str, Own]]) -> Iterable[str]:
    """Each reason for which something was not run, with the rows."""
    reasons: dict[str, dict[str, None]] = {}
    for label, own in figures:
        if own.missing:
            reasons.setdefault(own.missing, {})[label] = None
    sought = {label for label, own in figures if own != Own()}
    for reason, labels in reasons.items():
        all_rows = len(labels) > 2 and len(labels) == len(sought)
        yield f"{'All rows' if all_rows else listed(labels)}: {reason}"


def _what(column: ColumnOptions) -> str:
    """What a column shows, where its name alone does not say it."""
    metric = _METRICS[column.metric]
    if column.corpus is not None:
        return f"{metric} on {column.corpus}"
    if column.transfer is not None:
        of = f" of {column.protocol}" if column.protocol else ""
        return f"{metric} of the models{of} on {column.transfer}"
    if column.protocol is None and column.domain is None and column.less is None:
        return ""
    within = f" of {column.domain}" if column.domain is not None else ""
    under = f" under {column.protocol}" if column.protocol is not None else ""
    less = f" less that under {column.less}, in points" if column.less is not None else ""
    return metric + within + under + less
