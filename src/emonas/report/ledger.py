"""What searches and trainings took, by fold: the searched systems, and what stands beside them."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from emonas.report.gather import ProtocolResults, Spent, SystemResults
from emonas.report.summary import warnings
from emonas.report.tables import Column, Table
from emonas.report.verdicts import RANDOM_SEARCHES

ALL_FOLDS = "all"
_COLUMNS = (
    Column("system", "System"),
    Column("how", "Architecture"),
    Column("fold", "Fold"),
    Column("searches", "Searches", "count"),
    Column("search_seconds", "Search", "seconds"),
    Column("architectures", "Architectures evaluated", "count"),
    Column("search_memory", "Peak memory of search", "mebibytes"),
    Column("train_seconds", "Training", "seconds"),
    Column("train_memory", "Peak memory of training", "mebibytes"),
    Column("ua", "UA (%)", "percent"),
)
_NOTE = (
    "Times are of the wall clock of this machine, over all seeds, with whatever else ran beside. "
    "Random genotypes, and cells that people made of the same kind of network, stand beside the "
    "searches: compare what each took in all, search and training."
)


def ledger_table(protocol: ProtocolResults) -> Table:
    """A row a fold and one of all folds, for each searched system, for each of random genotypes,
    and for each whose network of the same kind people made.

    UA is that of the fold, the mean over seeds; of all folds it is the system's own.
    """
    rows = [row for system in _entered(protocol) for row in _rows(system)]
    notes = (*warnings(protocol), _NOTE) if rows else warnings(protocol)
    return Table(f"What search and training took under {protocol.name}", _COLUMNS, rows, notes)


def _entered(protocol: ProtocolResults) -> list[SystemResults]:
    searched = {system.card.network for system in protocol.systems.values() if system.card.search}
    return [system for system in protocol.systems.values() if system.card.network in searched]


def _how(system: SystemResults) -> str:
    card = system.card
    if not card.search:
        return "made by hand"
    if card.search in RANDOM_SEARCHES:
        return "drawn at random"
    if card.searcher not in ("", system.name):
        return f"that of {card.searcher}"
    return f"searched by {card.search}"


def _rows(system: SystemResults) -> Iterator[Mapping[str, Any]]:
    ua = system.metrics.ua
    yield {
        **_row(system, ALL_FOLDS, system.search_costs, system.costs),
        "ua": None if ua is None else ua.mean,
    }
    for fold in dict.fromkeys(score.fold for score in system.metrics.folds):
        reached = [score.ua for score in system.metrics.folds if score.fold == fold]
        known = [score for score in reached if score is not None]
        yield {
            **_row(system, fold, _of(system.search_costs, fold), _of(system.costs, fold)),
            "ua": sum(known) / len(known) if known else None,
        }


def _of(spent: Sequence[Spent], fold: str) -> list[Spent]:
    return [one for one in spent if one.fold == fold]


def _row(
    system: SystemResults, fold: str, search: Sequence[Spent], training: Sequence[Spent]
) -> dict[str, Any]:
    row: dict[str, Any] = {"system": system.name, "how": _how(system), "fold": fold}
    if search:
        row["searches"] = len(search)
        row["search_seconds"] = sum(one.seconds for one in search)
        row["architectures"] = sum(one.architectures for one in search) or None
        row["search_memory"] = max(one.memory for one in search)
    if any(one.seconds for one in training):
        row["train_seconds"] = sum(one.seconds for one in training)
        row["train_memory"] = max(one.memory for one in training)
    return row
