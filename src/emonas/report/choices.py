"""What the searches of a system chose, and in how many of them each choice was made."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from emonas.report.gather import FoundGenotype, SystemResults
from emonas.report.stability import open_connections
from emonas.report.tables import Column, Table
from emonas.storage.genotype import AnyGenotype, CellsGenotype, RecurrentGenotype

_CHOICES = (
    Column("part", "Part"),
    Column("choice", "Choice"),
    Column("operation", "Operation"),
    Column("searches", "Searches", "count"),
    Column("share", "Share (%)", "percent"),
)


def choices_table(system: SystemResults) -> Table:
    """A row a choice that any search made: in how many searches it was made."""
    rows = list(_choices(system.genotypes))
    return Table(f"What the searches of {system.name} chose", _CHOICES, rows)


def _choices(found: Sequence[FoundGenotype]) -> Iterator[Mapping[str, Any]]:
    counts: dict[tuple[str, str, str], int] = {}
    cells = _cell_names(found)
    for entry in found:
        for choice in set(_chosen(entry.genotype, cells)):
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


def _cell_names(found: Sequence[FoundGenotype]) -> dict[str, str]:
    """What each recurrent cell is called, by its recipe: by its name, and where several cells have
    that, as those have that each search draws for itself, by the search that found it first.
    """
    first: dict[str, FoundGenotype] = {}
    for entry in found:
        if isinstance(entry.genotype, RecurrentGenotype):
            first.setdefault(_recipe(entry.genotype), entry)
    called = Counter(_name(entry) for entry in first.values())
    return {
        recipe: _name(entry)
        if called[_name(entry)] == 1
        else f"{_name(entry)} of seed {entry.seed}, {entry.fold}"
        for recipe, entry in first.items()
    }


def _name(entry: FoundGenotype) -> str:
    return str(getattr(entry.genotype, "name", ""))


def _recipe(genotype: RecurrentGenotype) -> str:
    return json.dumps(genotype.model_dump(mode="json")["recipe"], sort_keys=True)


def _chosen(genotype: AnyGenotype, cells: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    """Part, choice and operation; `cells` has the names of recurrent ones by their recipes."""
    if isinstance(genotype, CellsGenotype):
        for part, edges in (("normal", genotype.normal), ("reduction", genotype.reduction)):
            for edge in edges:
                yield f"{part} cell", f"{_state(edge.source)} to node {edge.node}", edge.operation
    elif isinstance(genotype, RecurrentGenotype):
        yield "cell", cells[_recipe(genotype)], ""
    else:
        for domain, connection in open_connections(genotype):
            yield domain, connection, ""


def _state(source: int) -> str:
    """A state of a cell, as the figures name it."""
    return ("c_{k-2}", "c_{k-1}")[source] if source < 2 else f"node {source - 2}"
