"""Genotypes of which a search made nothing, as the report says it."""

from collections.abc import Iterable, Iterator

from emonas.report.connections import opened
from emonas.report.gather import FoundGenotype, ProtocolResults
from emonas.report.words import count, listed
from emonas.storage.degenerate import degenerate
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


def degenerate_summary(protocol: ProtocolResults) -> list[str]:
    """A sentence for each system of a protocol whose own search found degenerate genotypes: how
    many of how many.
    """
    said = []
    for name, system in protocol.systems.items():
        if system.card.searcher not in ("", name):
            continue
        number = sum(bool(degenerate(entry.genotype)) for entry in system.genotypes)
        if number:
            every = count(len(system.genotypes), "genotype")
            verb = "is" if number == 1 else "are"
            said.append(f"Degenerate: {number} of {every} that were found for {name} {verb}.")
    return said


def _clauses(genotype: AnyGenotype) -> Iterator[str]:
    yield from degenerate(genotype)
    if isinstance(genotype, ConnectionsGenotype):
        tables = genotype.domains.items()
        if every := [domain for domain, table in tables if opened(table) == len(table) ** 2]:
            yield f"every connection is open for {listed(every)}: the search left nothing out"
