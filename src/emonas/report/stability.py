"""How stable searches are: how often what one search chose returns in another."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations
from statistics import fmean
from typing import Any, get_args

from emonas.report.gather import ProtocolResults, SystemResults
from emonas.report.tables import Column, Table
from emonas.report.words import listed
from emonas.storage.genotype import (
    HAND_MADE,
    CellOperation,
    CellsGenotype,
    ConnectionsGenotype,
    Edge,
    RecurrentGenotype,
)
from emonas.storage.history import AGAIN

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
    "an operation for each, at random."
)
_WHOLE_NOTE = (
    "Recurrent cells, and those made by hand, return whole or not at all: by chance, as often as "
    "two winners would be the same that were drawn from the cells that each of the searches "
    "trained."
)
_NO_CHANCE_NOTE = (
    "{systems}: the cells were drawn from a space that nobody has counted, so that no share by "
    "chance is told."
)
_SAME_POOL = frozenset({"cells", HAND_MADE})
"""Methods of whose candidates a name is the same cell in every search."""


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
    searched = _searched(protocol)
    rows = [row for system in searched for row in _summary(system)]
    caption = f"Stability of the searches under {protocol.name}"
    return Table(caption, _SUMMARY, rows, tuple(_notes(searched)) if rows else ())


def _notes(searched: Sequence[SystemResults]) -> Iterator[str]:
    yield _NOTE
    whole = [system for system in searched if _returns_whole(system)]
    if whole:
        yield _WHOLE_NOTE
    untold = [system.name for system in whole if system.card.search not in _SAME_POOL]
    if untold:
        yield _NO_CHANCE_NOTE.format(systems=listed(untold))


def _returns_whole(system: SystemResults) -> bool:
    """Whether its candidates are whole cells, and not edges that are chosen one by one."""
    found = system.genotypes[0].genotype
    return isinstance(found, RecurrentGenotype) or system.card.search == HAND_MADE


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
    for part, compare in _parts(system).items():
        for name, chosen in over.items():
            if chosen:
                returned = [compare(first, other) for first, other in chosen]
                row = {"system": system.name, "part": part, "over": name}
                yield {**row, "pairs": len(chosen) // 2, **_means(returned)}


def _means(returned: Sequence[Returned]) -> dict[str, float]:
    keys = ("edge", "edge_chance", "operation", "operation_chance")
    known = {key: [getattr(one, key) for one in returned] for key in keys}
    return {key: fmean(values) for key, values in known.items() if None not in values}


Comparing = Callable[[Any, Any], Returned]
"""Of what two searches found, as of `FoundGenotype`."""


def _parts(system: SystemResults) -> dict[str, Comparing]:
    genotype = system.genotypes[0].genotype
    if _returns_whole(system):
        pools = _pools(system)
        return {
            "cell": lambda a, b: cell_returned(
                a.genotype, b.genotype, pools.get((a.seed, a.fold)), pools.get((b.seed, b.fold))
            )
        }
    if isinstance(genotype, CellsGenotype):
        return {
            "normal cell": lambda a, b: edges_returned(a.genotype.normal, b.genotype.normal),
            "reduction cell": lambda a, b: edges_returned(
                a.genotype.reduction, b.genotype.reduction
            ),
        }
    return {"connections": lambda a, b: connections_returned(a.genotype, b.genotype)}


def _pools(system: SystemResults) -> dict[tuple[int, str], Counter[str]]:
    """How often each search trained each cell, where a name is the same cell in all of them."""
    if system.card.search not in _SAME_POOL:
        return {}
    return {
        (history.seed, history.fold): Counter(
            name.partition(AGAIN)[0] for name in history.table["candidate"].unique()
        )
        for history in system.search_histories
        if "candidate" in history.table
    }


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


def cell_returned(
    first: RecurrentGenotype | CellsGenotype,
    other: RecurrentGenotype | CellsGenotype,
    pool: Counter[str] | None = None,
    other_pool: Counter[str] | None = None,
) -> Returned:
    """Whether the same whole cell was chosen; by chance, as two draws from what the two
    searches trained are the same, where that is known: how often each trained each cell.
    """
    chance = None
    if pool and other_pool:
        alike = sum(count * other_pool[name] for name, count in pool.items())
        chance = alike / (pool.total() * other_pool.total())
    return Returned(edge=float(_whole(first) == _whole(other)), edge_chance=chance)


def _whole(genotype: RecurrentGenotype | CellsGenotype) -> object:
    if isinstance(genotype, RecurrentGenotype):
        return genotype.recipe
    return genotype.normal, genotype.reduction


def connections_returned(first: ConnectionsGenotype, other: ConnectionsGenotype) -> Returned:
    """How many open connections are open in another; by chance, as many as are open there."""
    chosen, there = set(open_connections(first)), set(open_connections(other))
    every = sum(len(table) ** 2 for table in other.domains.values())
    if not chosen:
        return Returned(edge=float(not there), edge_chance=None)
    return Returned(edge=len(chosen & there) / len(chosen), edge_chance=len(there) / every)


def open_connections(genotype: ConnectionsGenotype) -> Iterator[tuple[str, str]]:
    """The domain of each open connection, and where from and to it leads."""
    for domain, table in genotype.domains.items():
        for place, row in enumerate(table, 1):
            for feature, is_open in zip(genotype.features, row, strict=True):
                if is_open:
                    yield domain, f"{feature} to u{place}"
