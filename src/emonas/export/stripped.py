"""Results without what is not ours to give away: no audio, no word of a transcript, no weights."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from emonas.export.kept import (
    Kept,
    KeptAudit,
    KeptDocument,
    KeptInflated,
    KeptManifest,
    KeptNumbers,
    KeptPredictions,
    KeptTable,
)
from emonas.report.differences import wanted_differences
from emonas.report.embedded import embedded_files
from emonas.report.gather import TEXTS
from emonas.storage.cost import EpochCost, NetworkCost
from emonas.storage.digests import digest_file
from emonas.storage.folds import INDEX_COLUMNS, PART_COLUMNS, PARTS, TRANSFER, read_index
from emonas.storage.recognition import Recognition

if TYPE_CHECKING:
    from emonas.report.plan import ReportPlan

_AS_IT_IS = Kept()
_PART = KeptTable(PART_COLUMNS)
_LEARNING = {
    "history.csv": KeptNumbers(texts=TEXTS),
    "cost.csv": KeptNumbers(columns=tuple(EpochCost.__dataclass_fields__)),
    "cost.json": KeptDocument(frozenset(NetworkCost.__dataclass_fields__)),
    "genotype.json": _AS_IT_IS,
}
_RECOGNITION = KeptDocument(frozenset(Recognition.__dataclass_fields__))


def strip_results(plan: ReportPlan, results: Path, output: Path) -> None:
    """Write what the report is made of, for the runs of a plan, into `output`.

    Raises:
        EmonasError: a result is missing or damaged.
    """
    kept = KeptResults(plan, results)
    protocols = (kept.of_protocol(protocol) for protocol in plan.run_protocols())
    for name, kind in chain(*protocols, kept.of_corpora()):
        strip_result(kind, name, results, output)


def strip_result(kind: Kept, name: str, results: Path, output: Path) -> None:
    """Write what a bundle has of one result into `output`.

    Raises:
        EmonasError: it is missing or damaged.
    """
    target = output / name
    target.parent.mkdir(parents=True, exist_ok=True)
    kind.strip(results / name, target)


_Named = Iterator[tuple[str, Kept]]


class KeptResults:
    """The results that a bundle of a plan has, by name, each with its kind."""

    def __init__(self, plan: ReportPlan, results: Path) -> None:
        self._plan = plan
        self._results = results

    def of_corpora(self) -> _Named:
        """Manifests, what could not be used, and how well recognisers heard."""
        cards = [self._plan.protocols[name] for name in self._plan.run_protocols()]
        heard = [name for card in cards for name in (*card.corpora, *card.transfer)]
        for corpus in dict.fromkeys(heard):
            yield f"corpora/{corpus}/manifest.csv", KeptManifest()
            yield from self._there(f"corpora/{corpus}/problems.csv", _AS_IT_IS)
        for corpus, transcript in self._plan.recognition:
            yield from self._there(f"recognition/{corpus}/{transcript}.json", _RECOGNITION)

    def of_protocol(self, protocol: str) -> _Named:
        """Folds, audit, and all that the systems of a protocol left.

        Raises:
            EmonasError: the list of its folds is missing or damaged.
        """
        folder = f"protocols/{protocol}"
        yield f"{folder}/audit.json", KeptAudit()
        yield from self._listing(f"{folder}/folds.csv", KeptTable(INDEX_COLUMNS))
        folds = list(read_index(self._results / folder / "folds.csv")["fold"])
        for fold in folds:
            for part in PARTS:
                yield from self._listing(f"{folder}/{fold}/{part}.csv", _PART)
        transfers = self._plan.protocols[protocol].transfer
        for corpus in transfers:
            yield from self._listing(f"{folder}/{TRANSFER}/{corpus}.csv", _PART)
        yield from self._there(f"evaluate/{protocol}/comparisons.json", _AS_IT_IS)
        if protocol in wanted_differences(self._plan):
            yield from self._there(f"evaluate/{protocol}/differences.json", _AS_IT_IS)
        embedded = set(embedded_files(self._plan, protocol, folds))
        for system, seeds in self._plan.run_systems(protocol).items():
            yield from self._there(f"evaluate/{protocol}/{system}/metrics.json", _AS_IT_IS)
            yield from self._there(f"evaluate/{protocol}/{system}/speed.json", _AS_IT_IS)
            for run in self._runs(protocol, system, seeds, folds):
                yield from self._of_run(run, transfers, f"{run}/predictions.h5" in embedded)

    def _runs(
        self, protocol: str, system: str, seeds: Sequence[int], folds: Sequence[str]
    ) -> Iterator[str]:
        """The folders of a system and of its search."""
        card = self._plan.systems[system]
        stages = {"fuse" if card.kind == "fusion" else "train": system}
        if card.search:
            stages["search"] = card.searcher or system
        for stage, name in stages.items():
            for seed in seeds:
                for fold in folds:
                    yield f"{stage}/{protocol}/{name}/seed{seed}/{fold}"

    def _of_run(self, run: str, transfers: Sequence[str], whole: bool) -> _Named:
        for name, kind in _LEARNING.items():
            yield from self._there(f"{run}/{name}", kind)
        predictions = KeptPredictions(PARTS if whole else ("test",))
        yield from self._there(f"{run}/predictions.h5", predictions)
        yield from self._there(f"{run}/inflated.h5", KeptInflated())
        for corpus in transfers:
            yield from self._there(f"{run}/{TRANSFER}/{corpus}.h5", KeptPredictions(("test",)))

    def _there(self, name: str, kind: Kept) -> _Named:
        """A result that may be missing."""
        if (self._results / name).exists():
            yield name, kind

    def _listing(self, name: str, kind: Kept) -> _Named:
        """A table with its digest, where it has one."""
        yield from self._there(name, kind)
        yield from self._there(digest_file(Path(name)).as_posix(), _AS_IT_IS)
