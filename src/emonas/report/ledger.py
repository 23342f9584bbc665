"""What searches and trainings took, by fold: the searched systems, and what stands beside them."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from emonas.report.gather import ProtocolResults, Spent, SystemResults
from emonas.report.reached import bounds, cells
from emonas.report.summary import fold_notes, warnings, with_bounds
from emonas.report.tables import Column, Table
from emonas.report.words import how_found

ALL = "all"
_COLUMNS = (
    Column("system", "System"),
    Column("how", "Architecture"),
    Column("fold", "Fold"),
    Column("seed", "Seed"),
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
    Column("ua", "95% interval", "interval"),
)
_NOTES = (
    "Times are of the wall clock of this machine, with whatever else ran beside. "
    "Computed are multiply-accumulates of all that was learnt from, forward, in billions (GMAC).",
    "Random genotypes, and cells that people made of the same kind of network, stand beside the "
    "searches. The budget of a search is what that of the system named computed on the same folds "
    "and seeds: it takes candidates as long as they stay within, and one at least. One that "
    "diverges has its share, which it does not use up; the epoch in which it does is not counted.",
)


def ledger_table(protocol: ProtocolResults) -> Table:
    """A row a fold and seed and one of all together, for each searched system, for each of random
    genotypes, and for each whose network of the same kind people made.
    """
    rows = [
        row
        for system in _entered(protocol)
        for row in _rows(system, protocol.systems.get(system.card.budget))
    ]
    notes = (*warnings(protocol), *_NOTES, *fold_notes(rows)) if rows else warnings(protocol)
    columns = with_bounds(_COLUMNS, rows)
    return Table(f"What search and training took under {protocol.name}", columns, rows, notes)


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
    name = {"system": system.name, "how": _how(system)}
    spent = system.search_costs, system.costs, () if budget is None else budget.search_costs
    whole = cells("ua", system.metrics.ua, system.metrics)
    yield {**name, "fold": ALL, "seed": ALL, **_took(*spent), **whole}
    for score in system.metrics.folds:
        own = (_of(costs, score.fold, score.seed) for costs in spent)
        reached = {"ua": score.ua, **bounds("ua", score.ua_interval), "speakers": score.speakers}
        yield {**name, "fold": score.fold, "seed": score.seed, **_took(*own), **reached}


def _of(spent: Sequence[Spent], fold: str, seed: int) -> list[Spent]:
    return [one for one in spent if (one.fold, one.seed) == (fold, seed)]


def _took(
    search: Sequence[Spent], training: Sequence[Spent], budget: Sequence[Spent]
) -> dict[str, Any]:
    row: dict[str, Any] = {}
    if search:
        row["searches"] = len(search)
        row["search_seconds"] = sum(one.seconds for one in search)
        row["architectures"] = sum(one.architectures for one in search) or None
        computed = sum(one.macs for one in search)
        row["search_macs"] = computed or None
        paid = {(one.seed, one.fold): one.macs for one in budget}
        pairs = [(one.macs, paid.get((one.seed, one.fold), 0)) for one in search]
        if pairs and all(whole for _, whole in pairs):
            row["budget"] = computed / sum(whole for _, whole in pairs)
        row["search_memory"] = max(one.memory for one in search)
    if any(one.seconds for one in training):
        row["train_seconds"] = sum(one.seconds for one in training)
        row["train_macs"] = sum(one.macs for one in training) or None
        row["train_memory"] = max(one.memory for one in training)
    return row
