"""Metrics, comparisons and differences of a bundle, computed again from its predictions."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from emonas.evaluate.compare import compare_systems
from emonas.evaluate.differences import ProtocolRuns, subtract_protocols
from emonas.evaluate.job import EvaluatedCorpora, evaluate_system
from emonas.evaluate.runs import RunFiles, Speakers
from emonas.export.bundle import RESULTS, read_scoring
from emonas.export.held import Verified, held_json
from emonas.export.mishaps import AGAIN, computed, guarded
from emonas.jobs import report_line
from emonas.report.differences import wanted_differences
from emonas.report.plan import ReportPlan
from emonas.storage.folds import TRANSFER, read_index, read_part
from emonas.storage.predictions import read_predictions


def scores_held(plan: ReportPlan, folder: Path) -> Generator[Verified, None, bool]:
    """Metrics, comparisons and differences, from the predictions; gives whether all protocols could
    be scored: a damaged file leaves out its own.
    """
    tested: dict[str, ProtocolRuns] = {}
    again, protocols = computed(folder, AGAIN), plan.run_protocols()
    for protocol in protocols:
        scored = _score_protocol(plan, folder, again, protocol)
        runs = yield from guarded(scored, folder, f"{RESULTS}/protocols/{protocol}")
        if runs is not None:
            tested[protocol] = runs
    if len(tested) < len(protocols):
        return False
    cards = [plan.protocols[name] for name in protocols]
    corpora = {name for card in cards for name in (*card.corpora, *card.transfer)}
    spoken = EvaluatedCorpora(_manifests(folder, corpora)).speakers()
    for name in _subtract(plan, tested, spoken, again):
        yield _held(folder, again, name)
    return True


def _manifests(folder: Path, corpora: Iterable[str]) -> dict[str, Path]:
    return {name: folder / RESULTS / "corpora" / name / "manifest.csv" for name in corpora}


def _score_protocol(
    plan: ReportPlan, folder: Path, again: Path, protocol: str
) -> Generator[Verified, None, ProtocolRuns]:
    scoring = read_scoring(folder, protocol)
    folds = list(read_index(folder / RESULTS / "protocols" / protocol / "folds.csv")["fold"])
    card = plan.protocols[protocol]
    runs: dict[str, list[RunFiles]] = {}
    for system, seeds in plan.run_systems(protocol).items():
        elsewhere = scoring.tested_elsewhere[system]
        runs[system] = _runs(plan, folder, (protocol, system), seeds, folds, elsewhere)
        yield Verified(0, list(_not_listed(folder, protocol, runs[system])))
        heard = _manifests(folder, (*card.corpora, *elsewhere))
        name = f"evaluate/{protocol}/{system}/metrics.json"
        evaluate_system(
            protocol,
            system,
            runs[system],
            EvaluatedCorpora(heard, elsewhere),
            scoring.pooled,
            scoring.repeated,
            again / name,
        )
        yield _held(folder, again, name)
    name = f"evaluate/{protocol}/comparisons.json"
    speakers = EvaluatedCorpora(_manifests(folder, card.corpora)).speakers()
    compare_systems(protocol, runs, speakers, scoring.pooled, again / name)
    yield _held(folder, again, name)
    report_line(f"{protocol}: scored again")
    return ProtocolRuns(protocol, scoring.pooled, runs)


def _held(folder: Path, again: Path, name: str) -> Verified:
    """A result held against the same one that was computed again."""
    return held_json(folder / RESULTS / name, again / name, f"{RESULTS}/{name}")


def _subtract(
    plan: ReportPlan, tested: Mapping[str, ProtocolRuns], speakers: Speakers, again: Path
) -> Iterator[str]:
    """Write the differences between protocols that the report shows; gives the files' names."""
    for protocol, others in wanted_differences(plan).items():
        taken = [
            replace(tested[other], runs={name: tested[other].runs[name] for name in systems})
            for other, systems in others.items()
        ]
        name = f"evaluate/{protocol}/differences.json"
        subtract_protocols(tested[protocol], taken, speakers, again / name)
        yield name


def _not_listed(folder: Path, protocol: str, runs: Sequence[RunFiles]) -> Iterator[str]:
    """Predictions that are not of the utterances and labels that their fold tests."""
    protocols = folder / RESULTS / "protocols" / protocol
    for run in runs:
        heard = {protocols / run.fold / "test.csv": run.predictions}
        for corpus, path in run.transfer.items():
            heard[protocols / TRANSFER / f"{corpus}.csv"] = path
        for listing, predictions in heard.items():
            part = read_part(listing)
            listed = sorted(zip(part["corpus"], part["utterance"], part["label"], strict=True))
            test = read_predictions(predictions, "test")
            if sorted(zip(test.corpora, test.utterances, test.labels, strict=True)) != listed:
                name = predictions.relative_to(folder)
                yield f"{name}: its utterances and labels are not those that its fold tests"


def _runs(
    plan: ReportPlan,
    folder: Path,
    run: tuple[str, str],
    seeds: list[int],
    folds: list[str],
    elsewhere: list[str],
) -> list[RunFiles]:
    protocol, system = run
    stage = "fuse" if plan.systems[system].kind == "fusion" else "train"
    found = []
    for seed in seeds:
        for fold in folds:
            own = folder / RESULTS / stage / protocol / system / f"seed{seed}" / fold
            transfer = {corpus: own / TRANSFER / f"{corpus}.h5" for corpus in elsewhere}
            files = own / "predictions.h5", own / "cost.json"
            inflated = own / "inflated.h5"
            again = inflated if inflated.exists() else None
            found.append(RunFiles(fold, seed, *files, transfer, again))
    return found
