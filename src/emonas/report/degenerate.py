"""Genotypes of which a search made nothing, in words."""

from collections.abc import Iterable

from emonas.report.connections import opened
from emonas.report.gather import FoundGenotype
from emonas.report.words import degenerate_cells, listed
from emonas.storage.genotype import AnyGenotype, ConnectionsGenotype


def degenerate_genotypes(genotypes: Iterable[FoundGenotype]) -> list[str]:
    """A sentence for each way in which genotypes of a system are degenerate."""
    found: dict[str, list[str]] = {}
    for entry in genotypes:
        for clause in _clauses(entry.genotype):
            found.setdefault(clause, []).append(f"seed {entry.seed} fold {entry.fold}")
    return [
        f"Degenerate genotype ({', '.join(where)}): {clause}." for clause, where in found.items()
    ]


def _clauses(genotype: AnyGenotype) -> list[str]:
    if isinstance(genotype, ConnectionsGenotype):
        return _clauses_of_connections(genotype)
    cells = listed(degenerate_cells(genotype))
    return [f"no convolution in the {cells} cell, only skips and pooling"] if cells else []


def _clauses_of_connections(genotype: ConnectionsGenotype) -> list[str]:
    tables = genotype.domains.items()
    said = {
        "no connection is open for {}: the search let no feature through": [
            domain for domain, table in tables if not opened(table)
        ],
        "every connection is open for {}: the search left nothing out": [
            domain for domain, table in tables if opened(table) == len(table) ** 2
        ],
    }
    return [clause.format(listed(domains)) for clause, domains in said.items() if domains]
