"""How stable searches are: how often what one search chose returns in another."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations
from statistics import fmean
from typing import Any, get_args

from emonas.report.gather import FoundGenotype, ProtocolResults, SystemResults
from emonas.report.tables import Column, Table
from emonas.storage.genotype import (
    AnyGenotype,
    CellOperation,
    CellsGenotype,
    ConnectionsGenotype,
    Edge,
    RecurrentGenotype,
)

OPERATIONS = tuple(name for name in get_args(CellOperation) if name != "none")
"""Those that a search can choose for an edge of its genotype."""
_SUMMARY = (
    Column("system", "System"),
    Column("part", "Part"),
    Column("over", "Compared over"),
    Column("pairs", "Pairs of searches", "count"),
    Column("edge", "Edge returns (%)", "percent"),
    Column("edge_chance", "by chance", "percent"),
    Column("operation", "with its operation (%)", "percent"),
    Column("operation_chance", "by chance", "percent"),
)
_NOTE = (
    "Of what one search chose, the share that another search of the same system chose too, over "
    "all pairs of the same fold with two seeds, and of the same seed with two folds. By chance is "
    "the share that would return if the other search had drawn as many edges into each node, and "
    "an operation for each, at random. Recurrent cells return whole or not at all."
)
_CHOICES = (
    Column("part", "Part"),
    Column("choice", "Choice"),
    Column("operation", "Operation"),
    Column("searches", "Searches", "count"),
    Column("share", "Share (%)", "percent"),
)


@dataclass(frozen=True)
class Returned:
    """The shares of one search's choices that return in another, and those by chance; `operation`
    is none where edges have none.
    """

    edge: float
    edge_chance: float | None = None
    operation: float | None = None
    operation_chance: float | None = None


def stability_table(protocol: ProtocolResults) -> Table:
    """A row a searched system, part of its genotype, and what it was searched again over."""
    rows = [row for system in _searched(protocol) for row in _summary(system)]
    caption = f"Stability of the searches under {protocol.name}"
    return Table(caption, _SUMMARY, rows, (_NOTE,) if rows else ())


def choices_table(system: SystemResults) -> Table:
    """A row a choice that any search made: in how many searches it was made."""
    rows = list(_choices(system.genotypes))
    return Table(f"What the searches of {system.name} chose", _CHOICES, rows)


def _searched(protocol: ProtocolResults) -> list[SystemResults]:
    """The systems whose own search was run more than once."""
    return [
        system
        for name, system in protocol.systems.items()
        if system.card.searcher in ("", name) and len(system.genotypes) > 1
    ]


def _summary(system: SystemResults) -> Iterator[Mapping[str, Any]]:
    pairs = list(permutations(system.genotypes, 2))
    over = {
        "seeds": [(a, b) for a, b in pairs if a.fold == b.fold],
        "folds": [(a, b) for a, b in pairs if a.seed == b.seed],
    }
    for part, compare in _parts(system.genotypes[0].genotype).items():
        for name, chosen in over.items():
            if chosen:
                returned = [compare(first.genotype, other.genotype) for first, other in chosen]
                row = {"system": system.name, "part": part, "over": name}
                yield {**row, "pairs": len(chosen) // 2, **_means(returned)}


def _means(returned: Sequence[Returned]) -> dict[str, float]:
    keys = ("edge", "edge_chance", "operation", "operation_chance")
    known = {key: [getattr(one, key) for one in returned] for key in keys}
    return {key: fmean(values) for key, values in known.items() if None not in values}


Comparing = Callable[[Any, Any], Returned]


def _parts(genotype: AnyGenotype) -> dict[str, Comparing]:
    if isinstance(genotype, CellsGenotype):
        return {
            "normal cell": lambda first, other: edges_returned(first.normal, other.normal),
            "reduction cell": lambda first, other: edges_returned(first.reduction, other.reduction),
        }
    if isinstance(genotype, RecurrentGenotype):
        return {"cell": cell_returned}
    return {"connections": connections_returned}


def edges_returned(first: Sequence[Edge], other: Sequence[Edge]) -> Returned:
    """How many of a cell's edges another has: node i chooses among i + 2 states, and each edge
    among seven operations.
    """
    places = {(edge.node, edge.source) for edge in other}
    into = [edge.node for edge in other]
    chances = [min(1.0, into.count(edge.node) / (edge.node + 2)) for edge in first]
    return Returned(
        edge=fmean((edge.node, edge.source) in places for edge in first),
        edge_chance=fmean(chances),
        operation=fmean(edge in other for edge in first),
        operation_chance=fmean(chances) / len(OPERATIONS),
    )


def cell_returned(first: RecurrentGenotype, other: RecurrentGenotype) -> Returned:
    """Whether the same recurrent cell was chosen."""
    return Returned(edge=float(first.recipe == other.recipe))


def connections_returned(first: ConnectionsGenotype, other: ConnectionsGenotype) -> Returned:
    """How many open connections are open in another; by chance, as many as are open there."""
    chosen, there = set(_open(first)), set(_open(other))
    every = sum(len(table) ** 2 for table in other.domains.values())
    if not chosen:
        return Returned(edge=float(not there), edge_chance=None)
    return Returned(edge=len(chosen & there) / len(chosen), edge_chance=len(there) / every)


def _open(genotype: ConnectionsGenotype) -> Iterator[tuple[str, str]]:
    for domain, table in genotype.domains.items():
        for place, row in enumerate(table, 1):
            for feature, is_open in zip(genotype.features, row, strict=True):
                if is_open:
                    yield domain, f"{feature} to u{place}"


def _choices(found: Sequence[FoundGenotype]) -> Iterator[Mapping[str, Any]]:
    counts: dict[tuple[str, str, str], int] = {}
    for entry in found:
        for choice in set(_chosen(entry.genotype)):
            counts[choice] = counts.get(choice, 0) + 1
    # The parts in their order, and in each the commonest choice first.
    for part in dict.fromkeys(part for part, *_ in sorted(counts)):
        own = [(choice, number) for choice, number in counts.items() if choice[0] == part]
        for (_, chosen, operation), number in sorted(own, key=lambda one: (-one[1], one[0])):
            yield {
                "part": part,
                "choice": chosen,
                "operation": operation,
                "searches": number,
                "share": number / len(found),
            }


def _chosen(genotype: AnyGenotype) -> Iterator[tuple[str, str, str]]:
    """Part, choice and operation."""
    if isinstance(genotype, CellsGenotype):
        for part, edges in (("normal", genotype.normal), ("reduction", genotype.reduction)):
            for edge in edges:
                yield f"{part} cell", f"{_state(edge.source)} to node {edge.node}", edge.operation
    elif isinstance(genotype, RecurrentGenotype):
        yield "cell", genotype.name, ""
    else:
        for domain, connection in _open(genotype):
            yield domain, connection, ""


def _state(source: int) -> str:
    """A state of a cell, as the figures name it."""
    return ("c_{k-2}", "c_{k-1}")[source] if source < 2 else f"node {source - 2}"
