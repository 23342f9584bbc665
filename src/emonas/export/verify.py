"""Computing every number of a bundle again from its predictions, without audio or torch."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from emonas.errors import DamagedFileError, EmonasError
from emonas.evaluate.compare import compare_systems
from emonas.evaluate.differences import ProtocolRuns, subtract_protocols
from emonas.evaluate.job import EvaluatedCorpora, evaluate_system
from emonas.evaluate.runs import RunFiles, Speakers
from emonas.export.bundle import (
    REPORT,
    RESULTS,
    numbered_files,
    read_contents,
    read_plan,
    read_scoring,
)
from emonas.export.held import Verified, held_json, held_text
from emonas.export.held_folds import folds_differ
from emonas.export.held_settings import settings_differ
from emonas.export.pictures import alike, drawn_by, pictures_of, shown_otherwise
from emonas.export.unpacking import added_files, changed_files, strange_files, unpacked
from emonas.jobs import report_line
from emonas.machine import cores
from emonas.report.differences import wanted_differences
from emonas.report.job import write_report
from emonas.report.plan import ReportPlan
from emonas.storage.folds import TRANSFER, read_index, read_part
from emonas.storage.predictions import read_predictions
from emonas.storage.problems import first_problem

PAGE = "index.html"


def verify_bundle(bundle: Path) -> Verified:
    """Score everything again, and hold it against what the bundle says.

    Raises:
        EmonasError: the file is no bundle, or does not say how it is scored.
    """
    with unpacked(bundle) as folder:
        touched = [
            *(
                f"{name}: its bytes are not those that were bundled"
                for name in changed_files(folder)
            ),
            *(f"{name}: was not bundled" for name in added_files(folder)),
        ]
        try:
            found = _all(folder)
        except DamagedFileError as error:
            found = Verified(0, [f"{error.path.relative_to(folder)}: {error.problem}"])
        except EmonasError as error:
            found = Verified(0, [str(error).replace(f"{folder}{os.sep}", "")])
        # What a plan or a scoring can lack that somebody wrote by hand.
        except (KeyError, OSError, ValueError) as error:
            raise EmonasError(
                f"{bundle}: does not say how it is scored ({first_problem(error)}); bundle the run "
                "again"
            ) from error
        return replace(found, wrong=[*touched, *found.wrong])


def _all(folder: Path) -> Verified:
    """Settings, folds, metrics, comparisons and report of an unpacked bundle."""
    plan, again = read_plan(folder), folder / "again"
    strange = [f"{name}: is of no bundle" for name in strange_files(folder, plan)]
    wrong = settings_differ(folder, plan) or list(folds_differ(folder, plan))
    numbers, scored_wrong = _score(plan, folder, again)
    report = _report(plan, folder, again)
    wrong += [*strange, *scored_wrong, *report.wrong]
    return Verified(numbers + report.numbers, wrong, report.unheld)


def _score(plan: ReportPlan, folder: Path, again: Path) -> tuple[int, list[str]]:
    """Metrics, comparisons and differences, from the predictions."""
    numbers = 0
    wrong: list[str] = []
    tested: dict[str, ProtocolRuns] = {}
    manifests = {
        path.parent.name: path for path in (folder / RESULTS / "corpora").glob("*/manifest.csv")
    }
    for protocol in plan.run_protocols():
        scoring = read_scoring(folder, protocol)
        index = folder / RESULTS / "protocols" / protocol / "folds.csv"
        folds = list(read_index(index)["fold"])
        card = plan.protocols[protocol]
        runs: dict[str, list[RunFiles]] = {}
        for system, seeds in plan.run_systems(protocol).items():
            elsewhere = scoring.tested_elsewhere[system]
            runs[system] = _runs(plan, folder, (protocol, system), seeds, folds, elsewhere)
            wrong += _not_listed(folder, protocol, runs[system])
            heard = {name: manifests[name] for name in (*card.corpora, *elsewhere)}
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
            found = held_json(folder / RESULTS / name, again / name, f"{RESULTS}/{name}")
            numbers, wrong = numbers + found.numbers, [*wrong, *found.wrong]
        name = f"evaluate/{protocol}/comparisons.json"
        speakers = EvaluatedCorpora({name: manifests[name] for name in card.corpora}).speakers()
        compare_systems(protocol, runs, speakers, scoring.pooled, again / name)
        found = held_json(folder / RESULTS / name, again / name, f"{RESULTS}/{name}")
        numbers, wrong = numbers + found.numbers, [*wrong, *found.wrong]
        tested[protocol] = ProtocolRuns(protocol, scoring.pooled, runs)
        report_line(f"{protocol}: {numbers} numbers so far")
    spoken = EvaluatedCorpora(manifests).speakers()
    for name in _subtract(plan, tested, spoken, again):
        found = held_json(folder / RESULTS / name, again / name, f"{RESULTS}/{name}")
        numbers, wrong = numbers + found.numbers, [*wrong, *found.wrong]
    return numbers, wrong


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


def _report(plan: ReportPlan, folder: Path, again: Path) -> Verified:
    """The report's tables, captions, page and pictures, and what its figures show, from the numbers
    as they were scored again.
    """
    whole = folder / "whole"
    shutil.copytree(folder / RESULTS, whole)
    shutil.copytree(again, whole, dirs_exist_ok=True)
    report, made = folder / REPORT, folder / "made"
    write_report(plan, whole, made, workers=cores())
    numbers = 0
    wrong = [f"{REPORT}/{name}: is not of this report" for name in _more(report, made)]
    for name in (*numbered_files(made), PAGE):
        found = held_text(report / name, made / name, f"{REPORT}/{name}")
        numbers, wrong = numbers + found.numbers, [*wrong, *found.wrong]
    pictures, unheld = _pictures(report, made, read_contents(folder).drawn_by)
    return Verified(numbers, [*wrong, *pictures], unheld)


def _pictures(
    report: Path, made: Path, drew: Mapping[str, str]
) -> tuple[list[str], tuple[str, ...]]:
    """Which pictures are not those that the numbers give, and why they could not be compared."""
    wrong = []
    if (report / PAGE).is_file():
        other = shown_otherwise(report)
        wrong = [f"{REPORT}/{PAGE}: shows another picture than {name}" for name in other]
    here = drawn_by()
    if drew != here:
        return wrong, (f"the pictures were not compared: {_versions(drew, here)}",)
    for name in pictures_of(made):
        if not (report / name).is_file():
            wrong.append(f"{REPORT}/{name}: is not in the bundle")
        elif not alike(report / name, made / name):
            wrong.append(f"{REPORT}/{name}: is not the picture that the numbers give")
    return wrong, ()


def _more(report: Path, made: Path) -> list[str]:
    """The files of a report that it would not have, relative to its folder."""
    told = (path.relative_to(report) for path in report.rglob("*") if path.is_file())
    return sorted(path.as_posix() for path in told if not (made / path).is_file())


def _versions(drew: Mapping[str, str], here: Mapping[str, str]) -> str:
    if not drew:
        return "the bundle does not say which versions drew them"
    told = [", ".join(f"{name} {number}" for name, number in of.items()) for of in (drew, here)]
    return f"they were drawn by {told[0]}, and here is {told[1]}"
