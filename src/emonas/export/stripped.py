"""Results without what is not ours to give away: no audio, no word of a transcript, no weights."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from emonas.evaluate.tasks import edits_of
from emonas.report.differences import wanted_differences
from emonas.report.embedded import embedded_files
from emonas.storage.audit import Audit, read_audit_file, write_audit_file
from emonas.storage.digests import digest_file
from emonas.storage.folds import PARTS, TRANSFER, read_index
from emonas.storage.manifest import read_manifest
from emonas.storage.predictions import (
    ASR,
    Predictions,
    predicted_parts,
    read_predictions,
    write_predictions,
)
from emonas.storage.tables import write_table

if TYPE_CHECKING:
    from emonas.report.plan import ReportPlan

_LEARNING = ("history.csv", "cost.csv", "cost.json", "genotype.json")


def strip_results(plan: ReportPlan, results: Path, output: Path) -> None:
    """Write what the report is made of, for the runs of a plan, into `output`.

    Raises:
        EmonasError: a result is missing or damaged.
    """
    copy = _Copy(plan, results, output)
    for protocol in plan.run_protocols():
        copy.protocol(protocol)
    for corpus in _corpora(plan):
        copy.corpus(corpus)
    for corpus, transcript in plan.recognition:
        copy.file(f"recognition/{corpus}/{transcript}.json")


def _corpora(plan: ReportPlan) -> list[str]:
    cards = [plan.protocols[name] for name in plan.run_protocols()]
    heard = [name for card in cards for name in (*card.corpora, *card.transfer)]
    return list(dict.fromkeys(heard))


def holds_more(file: Path, stripped: Path) -> bool:
    """Whether a result holds texts, paths or parts that were left out where it was stripped. Not by
    its bytes: another version of a library writes the same in others.
    """
    if file.name == "manifest.csv":
        return bool((read_manifest(file)[["audio", "text"]] != "").to_numpy().any())
    if file.name == "audit.json":
        audit = read_audit_file(file)
        return without_texts(audit) != audit
    if file.suffix != ".h5":
        return False
    parts = predicted_parts(file)
    return parts != predicted_parts(stripped) or any(
        _has_words(read_predictions(file, part)) for part in parts
    )


def _has_words(found: Predictions) -> bool:
    return ASR in found.tasks and any((*found.tasks[ASR].truth, *found.tasks[ASR].said))


class _Copy:
    """One copy in the making."""

    def __init__(self, plan: ReportPlan, results: Path, output: Path) -> None:
        self._plan = plan
        self._results = results
        self._output = output

    def file(self, name: str) -> None:
        """A file as it is, with its digest where it has one; nothing where it is not there."""
        source = self._results / name
        for path in (source, digest_file(source)):
            if path.exists():
                target = self._output / path.relative_to(self._results)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, target)

    def corpus(self, corpus: str) -> None:
        """The manifest without texts and files, and what could not be used."""
        name = f"corpora/{corpus}/manifest.csv"
        table = read_manifest(self._results / name).assign(audio="", text="")
        target = self._output / name
        target.parent.mkdir(parents=True, exist_ok=True)
        write_table(target, table)
        self.file(f"corpora/{corpus}/problems.csv")

    def protocol(self, protocol: str) -> None:
        """Folds, audit, and all that its systems left."""
        folder = f"protocols/{protocol}"
        audit = read_audit_file(self._results / folder / "audit.json")
        write_audit_file(self._output / folder / "audit.json", without_texts(audit))
        self.file(f"{folder}/folds.csv")
        folds = list(read_index(self._results / folder / "folds.csv")["fold"])
        for fold in folds:
            for part in PARTS:
                self.file(f"{folder}/{fold}/{part}.csv")
        transfers = self._plan.protocols[protocol].transfer
        for corpus in transfers:
            self.file(f"{folder}/{TRANSFER}/{corpus}.csv")
        self.file(f"evaluate/{protocol}/comparisons.json")
        if protocol in wanted_differences(self._plan):
            self.file(f"evaluate/{protocol}/differences.json")
        embedded = set(embedded_files(self._plan, protocol, folds))
        for system, seeds in self._plan.run_systems(protocol).items():
            self.file(f"evaluate/{protocol}/{system}/metrics.json")
            self.file(f"evaluate/{protocol}/{system}/speed.json")
            for run in self._runs(protocol, system, seeds, folds):
                self._run(run, transfers, f"{run}/predictions.h5" in embedded)

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

    def _run(self, run: str, transfers: Sequence[str], whole: bool) -> None:
        for name in _LEARNING:
            self.file(f"{run}/{name}")
        predictions = self._results / run / "predictions.h5"
        if predictions.exists():
            parts = PARTS if whole else ("test",)
            self._predictions(f"{run}/predictions.h5", parts)
            inflated = self._results / run / "inflated.h5"
            if inflated.exists():
                self._predictions(f"{run}/inflated.h5", predicted_parts(inflated))
            for corpus in transfers:
                if (self._results / run / TRANSFER / f"{corpus}.h5").exists():
                    self._predictions(f"{run}/{TRANSFER}/{corpus}.h5", ("test",))

    def _predictions(self, name: str, parts: Sequence[str]) -> None:
        found = {part: read_predictions(self._results / name, part) for part in parts}
        target = self._output / name
        target.parent.mkdir(parents=True, exist_ok=True)
        write_predictions(target, {part: without_words(of) for part, of in found.items()})


def without_words(found: Predictions) -> Predictions:
    """Predictions whose words, said and heard, are counted edits."""
    if ASR not in found.tasks:
        return found
    asr = found.tasks[ASR]
    none = ("",) * len(found.utterances)
    counted = replace(asr, truth=none, said=none, edits=edits_of(asr))
    return replace(found, tasks={**found.tasks, ASR: counted})


def without_texts(audit: Audit) -> Audit:
    """An audit that numbers the texts that cross, and quotes none."""
    named = [
        shared.name
        for crossing in audit.crossings
        if crossing.kind == "text"
        for shared in crossing.shared
    ]
    numbers = {name: f"text {number}" for number, name in enumerate(dict.fromkeys(named), 1)}
    crossings = tuple(
        crossing
        if crossing.kind != "text"
        else crossing.model_copy(
            update={
                "shared": tuple(
                    shared.model_copy(update={"name": numbers[shared.name]})
                    for shared in crossing.shared
                )
            }
        )
        for crossing in audit.crossings
    )
    return audit.model_copy(update={"crossings": crossings})
