"""What searches and trainings took, by fold: the searched systems, and what stands beside them."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from emonas.report.gather import ProtocolResults, Spent, SystemResults
from emonas.report.summary import warnings
from emonas.report.tables import Column, Table
from emonas.report.words import how_found

ALL_FOLDS = "all"
_COLUMNS = (
    Column("system", "System"),
    Column("how", "Architecture"),
    Column("fold", "Fold"),
    Column("searches", "Searches", "count"),
    Column("search_seconds", "Search", "seconds"),
    Column("architectures", "Architectures evaluated", "count"),
    Column("search_macs", "Computed by search (GMAC)", "billions"),
    Column("budget", "Of the budget (%)", "percent"),
    Column("search_memory", "Peak memory of search", "mebibytes"),
    Column("train_seconds", "Training", "seconds"),
    Column("train_macs", "Computed by training (GMAC)", "billions"),
    Column("train_memory", "Peak memory of training", "mebibytes"),
    Column("ua", "UA (%)", "percent"),
)
_NOTES = (
    "Times are of the wall clock of this machine, over all seeds, with whatever else ran beside. "
    "Computed are multiply-accumulates of all that was learnt from, forward, in billions (GMAC).",
    "Random genotypes, and cells that people made of the same kind of network, stand beside the "
    "searches. The budget of a search is what that of the system named computed on the same folds "
    "and seeds: it takes as many candidates as stay within.",
)


def ledger_table(protocol: ProtocolResults) -> Table:
    """A row a fold and one of all folds, for each searched system, for each of random genotypes,
    and for each whose network of the same kind people made.

    UA is that of the fold, the mean over seeds; of all folds it is the system's own.
    """
    rows = [
        row
        for system in _entered(protocol)
        for row in _rows(system, protocol.systems.get(system.card.budget))
    ]
    notes = (*warnings(protocol), *_NOTES) if rows else warnings(protocol)
    return Table(f"What search and training took under {protocol.name}", _COLUMNS, rows, notes)


def _entered(protocol: ProtocolResults) -> list[SystemResults]:
    searched = {system.card.network for system in protocol.systems.values() if system.card.search}
    return [system for system in protocol.systems.values() if system.card.network in searched]


def _how(system: SystemResults) -> str:
    card = system.card
    if not card.search:
        return "made by hand"
    if card.searcher not in ("", system.name):
        return f"that of {card.searcher}"
    return how_found(card)


def _rows(system: SystemResults, budget: SystemResults | None) -> Iterator[Mapping[str, Any]]:
    ua = system.metrics.ua
    paying = () if budget is None else budget.search_costs
    yield {
        **_row(system, ALL_FOLDS, system.search_costs, system.costs, paying),
        "ua": None if ua is None else ua.mean,
    }
    for fold in dict.fromkeys(score.fold for score in system.metrics.folds):
        reached = [score.ua for score in system.metrics.folds if score.fold == fold]
        known = [score for score in reached if score is not None]
        yield {
            **_row(
                system,
                fold,
                *(_of(spent, fold) for spent in (system.search_costs, system.costs, paying)),
            ),
            "ua": sum(known) / len(known) if known else None,
        }


def _of(spent: Sequence[Spent], fold: str) -> list[Spent]:
    return [one for one in spent if one.fold == fold]


def _row(
    system: SystemResults,
    fold: str,
    search: Sequence[Spent],
    training: Sequence[Spent],
    budget: Sequence[Spent],
) -> dict[str, Any]:
    row: dict[str, Any] = {"system": system.name, "how": _how(system), "fold": fold}
    if search:
        row["searches"] = len(search)
        row["search_seconds"] = sum(one.seconds for one in search)
        row["architectures"] = sum(one.architectures for one in search) or None
        computed = sum(one.macs for one in search)
        row["search_macs"] = computed or None
        runs = {(one.seed, one.fold) for one in search}
        if whole := sum(one.macs for one in budget if (one.seed, one.fold) in runs):
            row["budget"] = computed / whole
        row["search_memory"] = max(one.memory for one in search)
    if any(one.seconds for one in training):
        row["train_seconds"] = sum(one.seconds for one in training)
        row["train_macs"] = sum(one.macs for one in training) or None
        row["train_memory"] = max(one.memory for one in training)
    return row
