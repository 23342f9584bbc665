"""The parts of a protocol's report that are one table each."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from emonas.report import names
from emonas.report.cost import cost_name, cost_table
from emonas.report.gather import ProtocolResults
from emonas.report.inflation import inflation_table
from emonas.report.ledger import ledger_table
from emonas.report.plan import ReportPlan
from emonas.report.stability import stability_table
from emonas.report.tables import Table


@dataclass(frozen=True)
class Section:
    """A table under a heading; `stem` is that of its files. `figure` is a drawing above it, with
    what it shows in words.
    """

    title: str
    anchor: str
    table: Table
    stem: str
    figure: str = ""
    shows: str = ""


def sections(
    plan: ReportPlan, protocol: ProtocolResults, gathered: Mapping[str, ProtocolResults]
) -> list[Section]:
    """Those of a protocol among all that are gathered, in their order."""
    return list(_sections(plan, protocol, gathered))


def _sections(
    plan: ReportPlan, protocol: ProtocolResults, gathered: Mapping[str, ProtocolResults]
) -> Iterator[Section]:
    name = protocol.name
    if protocol.emotional:
        yield Section(
            "What accuracy costs",
            f"cost-{name}",
            cost_table(protocol),
            names.cost_table(name),
            names.cost_figure(name),
            f"UA of the systems under {name} against their {cost_name(protocol)}. Round and "
            "filled: none of the others so is better at no higher cost, where factors whose "
            "quartiles overlap count as the same; the dashed line joins these. "
            "Bars are 95% intervals, lying ones the quartiles of the times.",
        )
    yield Section(
        "What habits would add",
        f"inflation-{name}",
        inflation_table(plan, protocol, gathered),
        names.inflation_table(name),
    )
    if any(system.card.search for system in protocol.systems.values()):
        yield Section(
            "What the search took",
            f"ledger-{name}",
            ledger_table(protocol),
            names.ledger_table(name),
        )
        yield Section(
            "How stable the searches are",
            f"stability-{name}",
            stability_table(protocol),
            names.stability_table(name),
        )
