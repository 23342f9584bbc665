"""The papers' tables: published and own figures side by side."""

from collections.abc import Mapping
from typing import Any

from emonas.errors import EmonasError
from emonas.report.gather import ProtocolResults
from emonas.report.options import Metric, RowOptions, TableOptions
from emonas.report.plan import ReportPlan
from emonas.report.summary import deviation, warnings
from emonas.report.tables import Column, Kind, Table
from emonas.storage.metrics import Metrics

NOT_RUN = "not run"
SYNTHETIC_DIFFERENCE = "synthetic"
_TITLES: dict[Metric, str] = {"ua": "UA", "wa": "WA", "parameters": "Parameters"}


def paper_summary(
    plan: ReportPlan, gathered: Mapping[str, ProtocolResults], name: str, options: TableOptions
) -> Table:
    """One paper's table; a difference is ours less the published figure, in points.

    Figures on synthetic speech get no difference: they measure another thing than the paper.

    Raises:
        EmonasError: a row's system or protocol is not known.
    """
    rows: list[dict[str, Any]] = []
    notes: list[str] = [f"From {options.source}."] if options.source else []
    used: list[str] = []
    for label, row in options.rows.items():
        protocol = _protocol(plan, name, label, row, options.protocol)
        metrics = _metrics(gathered, protocol, row.system)
        rows.append(_row(label, row, options, protocol, metrics))
        if metrics is not None and gathered[protocol].synthetic:
            _drop_differences(rows[-1])
        if row.note:
            notes.append(f"{label}: {row.note}")
        if metrics is not None and protocol not in used:
            used.append(protocol)
        if row.system and metrics is None:
            notes.append(f"{label}: {_why_not(plan, row.system, protocol)}")
    notes += options.notes
    for protocol in used:
        notes += [f"Own figures under {protocol}: {text}" for text in warnings(gathered[protocol])]
    return Table(options.title or name, _columns(options), rows, tuple(notes))


def _protocol(
    plan: ReportPlan, table: str, label: str, row: RowOptions, default: str | None
) -> str:
    where = f"tables.{table}.rows.{label}"
    if row.system is None:
        return ""
    if row.system not in plan.systems and not any(
        row.system in skip.systems for skip in plan.skipped
    ):
        raise EmonasError(f"{where}.system: no system is named {row.system}; define it or mend it")
    if named := row.protocol or default:
        return named
    known = [run.protocol for run in plan.runs if row.system in run.systems]
    known += [skip.protocol for skip in plan.skipped if row.system in skip.systems]
    if len(set(known)) > 1:
        raise EmonasError(
            f"{where}: {row.system} is run under {' and '.join(sorted(set(known)))}; name the "
            "protocol of the row or the table"
        )
    return known[0] if known else ""


def _metrics(
    gathered: Mapping[str, ProtocolResults], protocol: str, system: str | None
) -> Metrics | None:
    if system is None or protocol not in gathered:
        return None
    found = gathered[protocol].systems.get(system)
    return found.metrics if found else None


def _why_not(plan: ReportPlan, system: str, protocol: str) -> str:
    for skip in plan.skipped:
        if system in skip.systems and skip.protocol == protocol:
            return f"{system} was not run: {skip.reason}"
    return f"{system} is in no run of these settings"


def _row(
    label: str,
    row: RowOptions,
    options: TableOptions,
    protocol: str,
    metrics: Metrics | None,
) -> dict[str, Any]:
    cells: dict[str, Any] = {
        "row": label,
        "system": row.system,
        "protocol": protocol if metrics is not None else None,
    }
    for metric in options.columns:
        published = row.published.get(metric)
        cells[f"{metric}_published"] = published
        if row.system and metrics is None:
            cells[f"{metric}_own"] = NOT_RUN
        if metrics is None:
            continue
        if metric == "parameters":
            cells["parameters_own"] = metrics.parameters.derived
            cells["parameters_search"] = metrics.parameters.search
            continue
        figure = metrics.ua if metric == "ua" else metrics.wa
        cells[f"{metric}_own"] = figure.mean
        cells[f"{metric}_own_std"] = deviation(figure, metrics)
        if isinstance(published, float):
            cells[f"{metric}_difference"] = figure.mean - published
    return cells


def _drop_differences(cells: dict[str, Any]) -> None:
    for key in cells:
        if key.endswith("_difference"):
            cells[key] = SYNTHETIC_DIFFERENCE


def _columns(options: TableOptions) -> tuple[Column, ...]:
    """Columns of published figures and differences only where a row has a published one."""
    columns = [Column("row", "Row"), Column("system", "Our system"), Column("protocol", "Protocol")]
    for metric in options.columns:
        title = _TITLES[metric]
        unit: Kind = "millions" if metric == "parameters" else "percent"
        name = title if metric == "parameters" else f"{title} (%)"
        published = any(metric in row.published for row in options.rows.values())
        if published:
            columns.append(Column(f"{metric}_published", f"{name}, published", unit))
        if metric == "parameters":
            columns += [
                Column("parameters_own", f"{title}, own", unit),
                Column("parameters_search", "Search network, own", unit),
            ]
            continue
        own = f"{title}, own" if published else name
        columns.append(Column(f"{metric}_own", own, unit, f"{metric}_own_std"))
        if published:
            columns.append(Column(f"{metric}_difference", f"{title}, difference", "points"))
    return tuple(columns)
