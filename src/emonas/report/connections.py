"""Searched connections as tables."""

from collections.abc import Iterable, Iterator

from emonas.report.gather import FoundGenotype
from emonas.report.tables import Column, Table
from emonas.storage.genotype import ConnectionsGenotype

Connections = tuple[tuple[bool, ...], ...]
OPEN = "●"
_WHERE = (
    Column("seed", "Seed"),
    Column("fold", "Fold"),
    Column("domain", "Domain"),
    Column("representation", "Representation"),
)
_NOTE = (
    f"A representation is summed up from the features under which {OPEN} stands (Multi-gating NAS, "
    "eq. 8)."
)


def how_many_open(table: Connections) -> str:
    """`7 of 25 open`."""
    return f"{opened(table)} of {len(table) ** 2} open"


def opened(table: Connections) -> int:
    """How many connections of a domain are open."""
    return sum(map(sum, table))


def connections_table(caption: str, found: Iterable[FoundGenotype]) -> Table | None:
    """A row a higher-level representation, with a dot under the features that it is summed up
    from; none where other genotypes were found.
    """
    features: dict[str, None] = {}
    rows = []
    for entry in found:
        if isinstance(entry.genotype, ConnectionsGenotype):
            features |= dict.fromkeys(entry.genotype.features)
            rows += list(_rows(entry.seed, entry.fold, entry.genotype))
    if not rows:
        return None
    marks = (Column(feature, feature) for feature in features)
    return Table(caption, (*_WHERE, *marks), rows, (_NOTE,))


def _rows(seed: int, fold: str, genotype: ConnectionsGenotype) -> Iterator[dict[str, str]]:
    for domain, table in genotype.domains.items():
        for place, row in enumerate(table, 1):
            where = {
                "seed": str(seed),
                "fold": fold,
                "domain": domain,
                "representation": f"u{place}",
            }
            marks = zip(genotype.features, row, strict=True)
            yield {**{feature: OPEN if is_open else "" for feature, is_open in marks}, **where}
