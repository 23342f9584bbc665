"""The numbers that each figure shows, as a CSV beside it."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import pandas as pd

from emonas.report import names
from emonas.report.cost import cost_points
from emonas.report.figures.curves import alpha_operations, operation_weights
from emonas.report.figures.measures import is_measure
from emonas.report.gather import History, ProtocolResults, SystemResults
from emonas.report.overview import Standing
from emonas.report.summary import chance
from emonas.storage.genotype import AnyGenotype, CellsGenotype, ConnectionsGenotype, recipe_order
from emonas.storage.tables import write_rows

Rows = Sequence[dict[str, Any]]
_SYSTEMS = ("system", "what", "fold", "seed", "ua")
_CONFUSION = ("true", "predicted", "utterances", "share")
_OVERVIEW = ("protocol", "system", "what", "ua", "ua_low", "ua_high")
_COST = ("system", "cost", "cost_low", "cost_high", "ua", "ua_low", "ua_high", "front")
_ALPHAS = ("seed", "fold", "cell", "operation", "epoch", "weight")
_CURVES = ("stage", "seed", "fold", "candidate", "epoch")


def write_numbers(
    protocols: Iterable[ProtocolResults], standings: Sequence[Standing], folder: Path
) -> None:
    """Write the numbers of the figures of all protocols into `folder`, fractions as such."""
    if standings:
        path = folder / names.numbers_of(names.overview_figure())
        write_rows(path, overview_numbers(standings), _OVERVIEW)
    for figure, rows, columns in chain.from_iterable(map(_numbers, protocols)):
        write_rows(folder / names.numbers_of(figure), rows, columns)


def _numbers(protocol: ProtocolResults) -> Iterator[tuple[str, Rows, Sequence[str]]]:
    """The figures of a protocol with their rows and columns."""
    if protocol.emotional:
        yield names.systems_figure(protocol.name), systems_numbers(protocol), _SYSTEMS
        yield names.cost_figure(protocol.name), cost_points(protocol), _COST
    for name, system in protocol.emotional.items():
        figure = names.confusion_figure(protocol.name, name)
        rows = confusion_numbers(system.metrics.labels, system.metrics.confusion)
        yield figure, rows, _CONFUSION
    for name, system in protocol.systems.items():
        table = curves_numbers(system)
        yield names.curves_figure(protocol.name, name), table, list(table[0]) if table else _CURVES
        for run, history in system.drawn_searches:
            if alpha_operations(history):
                figure = names.alphas_figure(protocol.name, name, run)
                yield figure, alphas_numbers(history), _ALPHAS
        for run, found in system.drawn_genotypes:
            rows = genotype_numbers(found.genotype)
            yield names.cells_figure(protocol.name, name, run), rows, list(rows[0])


def overview_numbers(standings: Iterable[Standing]) -> Rows:
    """The best system of each protocol with its interval, all others, and chance."""
    rows: list[dict[str, Any]] = []
    for standing in standings:
        for name, figure in standing.scores.items():
            best = name == standing.best
            low, high = (figure.interval if best else None) or ("", "")
            rows.append(
                {
                    "protocol": standing.protocol,
                    "system": name,
                    "what": "highest" if best else "other",
                    "ua": figure.mean,
                    "ua_low": low,
                    "ua_high": high,
                }
            )
        level = {"protocol": standing.protocol, "system": "", "what": "chance"}
        rows.append({**level, "ua": standing.chance, "ua_low": "", "ua_high": ""})
    return rows


def systems_numbers(protocol: ProtocolResults) -> Rows:
    """The UA of every system by fold and seed, its mean, and chance."""
    rows: list[dict[str, Any]] = []
    for name, system in protocol.emotional.items():
        mean: dict[str, Any] = {
            "what": "mean",
            "fold": "",
            "seed": "",
            "ua": system.metrics.figure("ua").mean,
        }
        scores: list[dict[str, Any]] = [
            {"what": "fold", "fold": score.fold, "seed": score.seed, "ua": score.ua}
            for score in system.metrics.folds
        ]
        rows += [{"system": name, **row} for row in (mean, *scores)]
    first = next(iter(protocol.emotional.values())).metrics
    level, _ = chance(first.confusion)
    return [*rows, {"system": "", "what": "chance", "fold": "", "seed": "", "ua": level}]


def confusion_numbers(labels: Sequence[str], counts: Sequence[Sequence[int]]) -> Rows:
    """A row a cell: utterances, and their share of the true class."""
    return [
        {
            "true": label,
            "predicted": predicted,
            "utterances": number,
            "share": number / sum(row) if sum(row) else 0.0,
        }
        for label, row in zip(labels, counts, strict=True)
        for predicted, number in zip(labels, row, strict=True)
    ]


def curves_numbers(system: SystemResults) -> Rows:
    """What was measured at each epoch of each search and training."""
    found = [
        _epochs(stage, history)
        for stage, histories in (
            ("search", system.search_histories),
            ("training", system.histories),
        )
        for history in histories
        if "epoch" in history.table
    ]
    if not found:
        return []
    table = pd.concat(found, ignore_index=True).dropna(axis="columns", how="all")
    # Empty text, not NaN, and whole numbers as such.
    rows = table.convert_dtypes().astype(object).where(table.notna(), "").to_dict("records")
    return [{str(key): value for key, value in row.items()} for row in rows]


def _epochs(stage: str, history: History) -> pd.DataFrame:
    table = history.table
    measures = [str(name) for name in table.columns if is_measure(str(name))]
    keys = [key for key in ("candidate", "epoch") if key in table]
    # The last of what a candidate or a resumed run measured twice, as it is drawn.
    kept = table[[*keys, *measures]].drop_duplicates(keys, keep="last")
    found = kept.dropna(subset=measures, how="all").assign(
        stage=stage, seed=history.seed, fold=history.fold
    )
    return found[["stage", "seed", "fold", *keys, *measures]]


def alphas_numbers(history: History) -> Rows:
    """The mean weight of each candidate operation by epoch."""
    return [
        {
            "seed": history.seed,
            "fold": history.fold,
            "cell": cell,
            "operation": operation,
            "epoch": epoch,
            "weight": weight,
        }
        for cell, operations in alpha_operations(history).items()
        for operation, series in operation_weights(history, cell, operations).items()
        for epoch, weight in series.items()
    ]


def genotype_numbers(genotype: AnyGenotype) -> Rows:
    """A row an edge of the cells, an input of a recurrent cell's node, or a connection."""
    if isinstance(genotype, CellsGenotype):
        return [
            {
                "cell": cell,
                "node": edge.node,
                "source": ("c_{k-2}", "c_{k-1}")[edge.source]
                if edge.source < 2
                else f"node {edge.source - 2}",
                "operation": edge.operation,
            }
            for cell, edges in (("normal", genotype.normal), ("reduction", genotype.reduction))
            for edge in edges
        ]
    if isinstance(genotype, ConnectionsGenotype):
        return [
            {
                "domain": domain,
                "representation": f"u{place}",
                "feature": feature,
                "open": int(is_open),
            }
            for domain, table in genotype.domains.items()
            for place, row in enumerate(table, 1)
            for feature, is_open in zip(genotype.features, row, strict=True)
        ]
    return [
        {"node": name, "operation": genotype.recipe[name].op, "input": source}
        for name in recipe_order(genotype.recipe)
        for source in genotype.recipe[name].input
    ]
