"""The parts of a protocol's report that are one table each."""

from collections.abc import Iterator
from dataclasses import dataclass

from emonas.report import names
from emonas.report.gather import ProtocolResults
from emonas.report.ledger import ledger_table
from emonas.report.stability import stability_table
from emonas.report.tables import Table


@dataclass(frozen=True)
class Section:
    """A table under a heading; `stem` is that of its files."""

    title: str
    anchor: str
    table: Table
    stem: str


def sections(protocol: ProtocolResults) -> list[Section]:
    """Those of a protocol, in their order."""
    return list(_sections(protocol))


def _sections(protocol: ProtocolResults) -> Iterator[Section]:
    name = protocol.name
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
