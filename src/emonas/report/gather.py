"""Everything that the report shows, read from `results` by the contract's paths."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import pandas as pd

from emonas.errors import EmonasError, make_again
from emonas.report.differences import wanted_differences
from emonas.report.encoders import Overlap, overlaps, transfer_overlaps
from emonas.report.plan import ReportPlan, SystemCard
from emonas.storage.audit import Audit, read_audit_file
from emonas.storage.comparisons import Comparisons, read_comparisons
from emonas.storage.differences import Differences, read_differences
from emonas.storage.folds import read_index
from emonas.storage.genotype import AnyGenotype, read_genotype
from emonas.storage.history import AGAIN
from emonas.storage.metrics import Metrics, read_metrics
from emonas.storage.speed import SystemSpeed, read_speed
from emonas.storage.tables import read_table

_COSTS = ("seconds", "memory", "architectures", "macs")
TEXTS = ("candidate", "status")
"""Columns of `history.csv` that hold no numbers."""


@dataclass(frozen=True)
class History:
    """The epochs of one seed and fold; every column that holds numbers is numeric."""

    seed: int
    fold: str
    table: pd.DataFrame


@dataclass(frozen=True)
class FoundGenotype:
    """What the search found for one seed and fold."""

    seed: int
    fold: str
    genotype: AnyGenotype


@dataclass(frozen=True)
class Spent:
    """What a stage took for one system, seed and fold: wall seconds, the peak memory in MiB, how
    many architectures were evaluated, and multiply-accumulates of all that was learnt from.
    """

    seed: int
    fold: str
    seconds: float
    memory: float
    architectures: int
    macs: int = 0


@dataclass(frozen=True)
class SystemResults:
    """One system under one protocol."""

    name: str
    card: SystemCard
    metrics: Metrics
    genotypes: Sequence[FoundGenotype]
    search_histories: Sequence[History]
    histories: Sequence[History]
    search_costs: Sequence[Spent]
    costs: Sequence[Spent]

    @property
    def drawn_genotypes(self) -> list[tuple[str, FoundGenotype]]:
        """The genotypes of the first seed, of every fold, behind the fold in their figures' names:
        none for the first, which the page shows.
        """
        return _drawn(self.genotypes)

    @property
    def drawn_searches(self) -> list[tuple[str, History]]:
        """The epochs of the searches of the first seed, of every fold, likewise."""
        return _drawn(self.search_histories)


Found = TypeVar("Found", History, FoundGenotype)


def _drawn(every: Sequence[Found]) -> list[tuple[str, Found]]:
    first = [found for found in every if found.seed == every[0].seed]
    return [(found.fold if number else "", found) for number, found in enumerate(first)]


@dataclass(frozen=True)
class ProtocolResults:
    """One protocol: its audit, its systems by name, how they compare, and what its scores can't
    say.

    `speeds` are those of the systems that were measured, `differences` those from other protocols
    that the report shows, if any. `transfers` are the other corpora that its models were tested on;
    `domain` is what tells its domains apart (empty where it has none).
    """

    name: str
    audit: Audit
    systems: dict[str, SystemResults]
    comparisons: Comparisons
    speeds: Mapping[str, SystemSpeed]
    synthetic: bool
    speaker_dependent: bool
    differences: Differences | None = None
    overlaps: tuple[Overlap, ...] = ()
    corpora: tuple[str, ...] = ()
    transfers: tuple[str, ...] = ()
    synthetic_transfers: tuple[str, ...] = ()
    transfer_overlaps: tuple[Overlap, ...] = ()
    domain: str = ""

    @property
    def domains(self) -> list[str]:
        """The domains of the test utterances."""
        metrics = (system.metrics for system in self.systems.values())
        return sorted({domain for found in metrics for domain in found.domains})

    @property
    def emotional(self) -> dict[str, SystemResults]:
        """The systems that learn emotion, which a first stage of training may not."""
        found = self.systems.items()
        return {name: system for name, system in found if system.metrics.ua is not None}

    def is_synthetic_on(self, corpus: str) -> bool:
        """Whether the speech that the models learnt from, or that of the other corpus, is."""
        return self.synthetic or corpus in self.synthetic_transfers


def gather(plan: ReportPlan, results: Path) -> dict[str, ProtocolResults]:
    """Read the results of every protocol that the plan runs.

    Raises:
        EmonasError: a file is missing or damaged.
    """
    gathered = {}
    wanted = wanted_differences(plan)
    for protocol in plan.run_protocols():
        folder = results / "protocols" / protocol
        card = plan.protocols[protocol]
        audit = read_audit_file(folder / "audit.json")
        _refuse_gaps(folder / "audit.json", card.transfer, audit.transfer)
        folds = list(read_index(folder / "folds.csv")["fold"])
        systems = {
            system: _system(plan, results, protocol, system, folds, seeds)
            for system, seeds in plan.run_systems(protocol).items()
        }
        gathered[protocol] = ProtocolResults(
            name=protocol,
            audit=audit,
            systems=systems,
            comparisons=read_comparisons(results / "evaluate" / protocol / "comparisons.json"),
            speeds={
                system: read_speed(results / "evaluate" / protocol / system / "speed.json")
                for of, system in plan.measured
                if of == protocol
            },
            synthetic=plan.is_synthetic(protocol),
            speaker_dependent=audit.speaker_dependent or card.speaker_dependent,
            differences=read_differences(results / "evaluate" / protocol / "differences.json")
            if protocol in wanted
            else None,
            overlaps=overlaps(plan, protocol),
            corpora=tuple(card.corpora),
            transfers=tuple(card.transfer),
            synthetic_transfers=tuple(
                name for name in card.transfer if plan.corpora[name].synthetic
            ),
            transfer_overlaps=transfer_overlaps(plan, protocol),
            domain=card.domain,
        )
    return gathered


def _refuse_gaps(path: Path, corpora: Sequence[str], found: Mapping[str, object]) -> None:
    for corpus in corpora:
        if corpus not in found:
            raise EmonasError(f"{path}: says nothing of transfer to {corpus}; {make_again(path)}")


def _system(
    plan: ReportPlan,
    results: Path,
    protocol: str,
    system: str,
    folds: Sequence[str],
    seeds: Sequence[int],
) -> SystemResults:
    card = plan.systems[system]
    stage = "fuse" if card.kind == "fusion" else "train"
    searched_folds = folds[:1] if card.shared_search else folds
    search = results / "search" / protocol / (card.searcher or system)
    searched = list(_folders(search, seeds, searched_folds))
    # Another system's search is shown, and paid for, there.
    own = [] if card.searcher not in ("", system) else searched
    trained = list(_folders(results / stage / protocol / system, seeds, folds))
    genotypes = [
        FoundGenotype(seed, fold, read_genotype(folder / "genotype.json"))
        for seed, fold, folder in (searched if card.draws_cells else [])
        if (folder / "genotype.json").exists()
    ]
    if card.draws_cells and not genotypes:
        raise EmonasError(f"{search}: there is no genotype of {system}; run its search again")
    path = results / "evaluate" / protocol / system / "metrics.json"
    metrics = read_metrics(path)
    if metrics.ua is not None:
        _refuse_gaps(path, plan.protocols[protocol].transfer, metrics.transfer)
    return SystemResults(
        name=system,
        card=card,
        metrics=metrics,
        genotypes=genotypes,
        search_histories=_histories(own) if card.search else [],
        histories=_histories(trained),
        search_costs=_spent(own) if card.search else (),
        costs=_spent(trained),
    )


def _folders(
    root: Path, seeds: Sequence[int], folds: Sequence[str]
) -> Iterator[tuple[int, str, Path]]:
    """The folders that are there; what lies beside them is of former settings."""
    for seed in seeds:
        for fold in folds:
            folder = root / f"seed{seed}" / fold
            if folder.is_dir():
                yield seed, fold, folder


def _histories(folders: Sequence[tuple[int, str, Path]]) -> list[History]:
    histories = []
    for seed, fold, folder in folders:
        path = folder / "history.csv"
        if path.exists() and path.read_text(encoding="utf-8").strip():
            histories.append(History(seed, fold, _numeric(read_table(path))))
    return histories


def _numeric(table: pd.DataFrame) -> pd.DataFrame:
    converted = table.copy()
    for column in table.columns:
        if column not in TEXTS:
            converted[column] = pd.to_numeric(table[column], errors="coerce")
    return converted


def _spent(folders: Sequence[tuple[int, str, Path]]) -> tuple[Spent, ...]:
    return tuple(
        _sum(seed, fold, folder) for seed, fold, folder in folders if (folder / "cost.csv").exists()
    )


def _sum(seed: int, fold: str, folder: Path) -> Spent:
    rows = _numeric(read_table(folder / "cost.csv", _COSTS))
    return Spent(
        seed=seed,
        fold=fold,
        seconds=float(rows["seconds"].sum()),
        memory=float(rows["memory"].max()) if len(rows) else 0.0,
        architectures=_architectures(folder / "history.csv", rows),
        macs=int(rows["macs"].sum()),
    )


def _architectures(history: Path, rows: pd.DataFrame) -> int:
    """The candidates that were trained; without such, what an epoch trains is one network."""
    if history.exists() and history.read_text(encoding="utf-8").strip():
        table = read_table(history)
        if "candidate" in table:
            return len({name.partition(AGAIN)[0] for name in table["candidate"]})
    return int(rows["architectures"].max()) if len(rows) else 0
