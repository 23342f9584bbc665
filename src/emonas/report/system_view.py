"""What the page shows of one system."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emonas.report import names
from emonas.report.choices import choices_table
from emonas.report.connections import connections_table, opened
from emonas.report.degenerate import degenerate_genotypes
from emonas.report.gather import FoundGenotype, ProtocolResults, Spent, SystemResults
from emonas.report.other_folds import other_alphas, other_cells
from emonas.report.pictures import LinkedPicture, Picture, linked, picture
from emonas.report.reached import cells
from emonas.report.tables import Column, Table, show
from emonas.report.tasks import task_cells, task_columns
from emonas.report.words import (
    count,
    describe,
    duration,
    listed,
    memory,
    option_pairs,
)
from emonas.storage.genotype import ConnectionsGenotype
from emonas.storage.history import CONTRASTIVE


@dataclass(frozen=True)
class SystemView:
    """One system's section."""

    name: str
    anchor: str
    what: str
    scores: list[tuple[str, str]]
    facts: list[tuple[str, str]]
    remarks: list[str]
    degenerate: list[str]
    confusion: Picture | None
    curves: Picture
    cells: Picture | None
    other_cells: list[LinkedPicture]
    alphas: Picture | None
    other_alphas: list[LinkedPicture]
    connections: Table | None
    connections_stem: str
    choices: Table | None
    choices_stem: str


def system_view(results: ProtocolResults, system: SystemResults, folder: Path) -> SystemView:
    """Make a system's section."""
    protocol, name = results.name, system.name
    overlaps = (*results.overlaps, *results.transfer_overlaps)
    inflated = [overlap.remark for overlap in overlaps if name in overlap.systems]
    cells = names.cells_figure(protocol, name)
    alphas = names.alphas_figure(protocol, name)
    first = next(iter(system.genotypes), None)
    there = f"seed {first.seed}, fold {first.fold}" if first else ""
    return SystemView(
        name=name,
        anchor=system_anchor(protocol, name),
        what=describe(name, system.card),
        scores=_scores(system),
        facts=_facts(system),
        remarks=inflated + _remarks(system),
        degenerate=degenerate_genotypes(system.genotypes),
        confusion=picture(
            folder, names.confusion_figure(protocol, name), f"Confusion matrix of {name}"
        )
        if system.card.tells_emotions
        else None,
        curves=picture(folder, names.curves_figure(protocol, name), f"Validation curves of {name}"),
        cells=picture(folder, cells, f"{_found(first)} found for {name}, {there}")
        if first
        else None,
        other_cells=[linked(other.fold, other.file) for other in other_cells(protocol, system)],
        alphas=(
            picture(folder, alphas, f"Weights of the candidate operations of {name}")
            if (folder / alphas).exists()
            else None
        ),
        other_alphas=[linked(other.fold, other.file) for other in other_alphas(protocol, system)],
        connections=connections_table(f"Connections of {name}", system.genotypes[:1]),
        connections_stem=names.connections_table(protocol, name),
        choices=choices_table(system) if system.card.search else None,
        choices_stem=names.choices_table(protocol, name),
    )


def _found(first: FoundGenotype) -> str:
    return "Connections" if isinstance(first.genotype, ConnectionsGenotype) else "Cells"


def system_anchor(protocol: str, system: str) -> str:
    """The address of a system's section in the page."""
    return f"system-{protocol}-{system}"


def _scores(system: SystemResults) -> list[tuple[str, str]]:
    metrics = system.metrics
    row: Mapping[str, Any] = {
        **cells("ua", metrics.ua, metrics),
        **cells("wa", metrics.wa, metrics),
        **task_cells(metrics),
        "derived": metrics.parameters.derived,
    }
    columns = (
        Column("ua", "UA (%)", "percent", "ua_std", "ua"),
        Column("wa", "WA (%)", "percent", "wa_std", "wa"),
        *task_columns([metrics]),
        Column("derived", "parameters", "millions"),
    )
    return [(c.title, show(row, c)) for c in columns if row.get(c.key) is not None]


def _facts(system: SystemResults) -> list[tuple[str, str]]:
    metrics = system.metrics
    facts = [("Runs", f"{count(metrics.seeds, 'seed')}, {count(len(metrics.folds), 'run')} in all")]
    if metrics.parameters.search is not None:
        facts.append(("Search network", f"{metrics.parameters.search:,} weights"))
    facts.append(("Trained network", f"{metrics.parameters.derived:,} weights"))
    if metrics.macs is not None:
        facts.append(("One utterance", f"{metrics.macs:,} multiply-accumulates"))
    facts += _long(system)
    if (share := _contrastive(system)) is not None:
        facts.append(("Contrastive loss", f"acted in {100 * share:.1f}% of the batches"))
    if system.search_costs:
        facts.append(("Cost of search", _cost(system.search_costs)))
    if system.costs:
        facts.append(("Cost of training", _cost(system.costs)))
    return facts + option_pairs(system.card.options)


def _long(system: SystemResults) -> list[tuple[str, str]]:
    """What became of utterances that are longer than the system allows."""
    metrics = system.metrics
    seconds = system.card.options.get("longest_seconds")
    if seconds is None:
        return []
    asr = "asr" in system.card.options.get("tasks", ())
    runs = count(len(metrics.folds), "run")
    told = f"{metrics.shortened:,} times cut, {metrics.left_out:,} times left out of training"
    words = "; one that is cut has no text to learn or to be scored on" if asr else ""
    return [("Longer than allowed", f"than {seconds:g} s: {told}, over all parts of {runs}{words}")]


def _contrastive(system: SystemResults) -> float | None:
    """The share of batches in which it acted, over all epochs of training; of the search where
    nothing was trained behind it.
    """
    for histories in (system.histories, system.search_histories):
        tables = [found.table for found in histories if CONTRASTIVE in found.table]
        shares = [share for table in tables for share in table[CONTRASTIVE].dropna()]
        if shares:
            return float(sum(shares) / len(shares))
    return None


def _cost(spent: Sequence[Spent]) -> str:
    text = (
        f"{duration(sum(one.seconds for one in spent))} in all over {count(len(spent), 'run')}, "
        f"peak memory {memory(max(one.memory for one in spent))}"
    )
    if architectures := sum(one.architectures for one in spent):
        text += f", {count(architectures, 'architecture')} evaluated"
    return text


def _remarks(system: SystemResults) -> list[str]:
    remarks = []
    if system.card.random_encoder:
        remarks.append(
            "Its encoder began with random weights, and not with pretrained ones: its scores say "
            "that the training works, not what such an encoder is worth."
        )
    if closed := _deaf_domains(system):
        remarks.append(
            f"Of {listed(closed)} every connection is closed, so that nothing is heard there: "
            "its scores are chance. A smaller penalty leaves some open."
        )
    if not system.card.tells_emotions:
        remarks.append(
            "It does not learn emotion: it is a first stage, from which other systems start."
        )
    if system.card.shared_search:
        remarks.append(
            "One search serves all folds: utterances that a fold tests may have had a part in the "
            "choice of its architecture."
        )
    if system.card.search and not system.card.retrain:
        remarks.append("The searched network was tested with its own weights, without retraining.")
    if system.genotypes:
        distinct = {found.genotype.model_dump_json() for found in system.genotypes}
        remarks.append(
            f"{count(len(system.genotypes), 'search').replace('searchs', 'searches')} found "
            f"{count(len(distinct), 'different genotype')}."
            if len(distinct) > 1
            else f"All of its searches ({len(system.genotypes)}) found the same genotype."
        )
    if _contrastive(system) == 0:
        remarks.append(
            "The contrastive loss acted in no batch: no emotion had enough utterances in one. "
            "Larger batches let it act."
        )
    if diverged := _diverged(system):
        remarks.append(f"{count(diverged, 'trial')} of candidate cells diverged and dropped out.")
    return remarks


def _deaf_domains(system: SystemResults) -> list[str]:
    """The domains of which some search left no connection open."""
    return sorted(
        {
            domain
            for found in system.genotypes
            if isinstance(found.genotype, ConnectionsGenotype)
            for domain, table in found.genotype.domains.items()
            if not opened(table)
        }
    )


def _diverged(system: SystemResults) -> int:
    """How many candidates of all searches did not train to an end."""
    return sum(
        int((history.table["status"] == "diverged").sum())
        for history in system.search_histories
        if "status" in history.table
    )
