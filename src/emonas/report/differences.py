"""Which figures under one protocol the report shows less those under another."""

from collections.abc import Iterator
from typing import Any

from emonas.report.plan import ReportPlan
from emonas.report.resolving import Running, protocol_of

_SPLITTING = frozenset(("groups", "repeats", "first", "share", "validation_share", "seed", "swap"))
"""What of a protocol's options says how its folds are made."""
Wanted = dict[str, dict[str, list[str]]]
"""Systems by the protocol whose figures are taken off, by that of the figures."""


def wanted_differences(plan: ReportPlan) -> Wanted:
    """Those of columns with `less`, and of a random split less the split by speakers, for systems
    that run under both protocols and learn emotion.

    Raises:
        EmonasError: the protocol of a column can't be told.
    """
    found: Wanted = {}
    for system, protocol, less in (*_of_columns(plan), *_of_splits(plan)):
        runs = all(system in plan.run_systems(name) for name in (protocol, less))
        if runs and plan.systems[system].tells_emotions:
            systems = found.setdefault(protocol, {}).setdefault(less, [])
            if system not in systems:
                systems.append(system)
    return found


def random_split(plan: ReportPlan, protocol: str) -> str | None:
    """The first protocol that is run and splits the same utterances at random, where this one does
    not.
    """
    if plan.protocols[protocol].test == "random":
        return None
    selected = _selected(plan, protocol)
    for other in plan.run_protocols():
        if plan.protocols[other].test == "random" and _selected(plan, other) == selected:
            return other
    return None


def _of_splits(plan: ReportPlan) -> Iterator[tuple[str, str, str]]:
    for protocol in plan.run_protocols():
        split = random_split(plan, protocol)
        if split is not None:
            for system in plan.run_systems(protocol):
                yield system, split, protocol


def _of_columns(plan: ReportPlan) -> Iterator[tuple[str, str, str]]:
    runs: list[Running] = [*plan.runs, *plan.skipped]
    for name, table in plan.tables.items():
        for column in table.columns.values():
            for label, row in table.rows.items():
                if column.less is None or row.system is None:
                    continue
                named = (column.protocol, row.protocol, table.protocol)
                protocol = protocol_of(f"tables.{name}.rows.{label}", row.system, named, runs)
                if protocol is not None:
                    yield row.system, protocol, column.less


def _selected(plan: ReportPlan, protocol: str) -> dict[str, Any]:
    """What of a protocol says which utterances there are, and how they count."""
    card = plan.protocols[protocol]
    options = {key: value for key, value in card.options.items() if key not in _SPLITTING}
    return {"corpora": set(card.corpora), "domain": card.domain} | options
