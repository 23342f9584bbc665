"""Computing every number of a bundle again from its predictions, without audio or torch."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

from emonas.errors import DamagedFileError, EmonasError
from emonas.export.bundle import (
    LOCKS,
    REPORT,
    RESULTS,
    files_below,
    numbered_files,
    read_contents,
    read_plan,
)
from emonas.export.held import Verified, held_text
from emonas.export.held_folds import folds_differ
from emonas.export.held_scores import scores_held
from emonas.export.held_settings import settings_differ
from emonas.export.pictures import alike, drawn_by, pictures_of, shown_otherwise
from emonas.export.stripped import holds_more, strip_results
from emonas.export.unpacking import (
    STRIPPED,
    WHOLE,
    added_files,
    changed_files,
    damaged,
    strange_files,
    unpacked,
    within_bundle,
)
from emonas.machine import cores
from emonas.report.job import write_report
from emonas.report.plan import ReportPlan
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
        found = Verified(0, touched)
        try:
            for held in _all(folder):
                found = found.joined(held)
        except DamagedFileError as error:
            found = found.joined(damaged(error, folder))
        except EmonasError as error:
            found = found.joined(Verified(0, [within_bundle(str(error), folder)]))
        # What a plan or a scoring can lack that somebody wrote by hand.
        except (KeyError, OSError, ValueError) as error:
            raise EmonasError(
                f"{bundle}: does not say how it is scored ({first_problem(error)}); bundle the run "
                "again"
            ) from error
        return found


def _all(folder: Path) -> Iterator[Verified]:
    """Settings, folds, metrics, comparisons and report of an unpacked bundle; the report of which
    all protocols could be scored.
    """
    plan, again = read_plan(folder), folder / "again"
    yield Verified(0, [f"{name}: is of no bundle" for name in strange_files(folder, plan)])
    yield Verified(0, [] if any(folder.glob(LOCKS)) else [f"{LOCKS}: none is in the bundle"])
    settings = settings_differ(folder, plan)
    yield Verified(0, settings)
    try:
        yield Verified(0, [] if settings else list(folds_differ(folder, plan)))
    except DamagedFileError as error:
        yield damaged(error, folder)
    whole = yield from scores_held(plan, folder, again)
    if whole:
        yield Verified(0, _strange_results(folder, plan))
        yield _report(plan, folder, again)


def _strange_results(folder: Path, plan: ReportPlan) -> list[str]:
    """What the bundle of such a run would not have: files, and in them texts, paths and parts."""
    results, stripped = folder / RESULTS, folder / STRIPPED
    strip_results(plan, results, stripped)
    wrong = []
    for name in files_below(results):
        if not (stripped / name).is_file():
            wrong.append(f"{RESULTS}/{name}: is of no bundle")
        elif holds_more(results / name, stripped / name):
            wrong.append(f"{RESULTS}/{name}: holds what is left out of a bundle")
    return wrong


def _report(plan: ReportPlan, folder: Path, again: Path) -> Verified:
    """The report's tables, captions, page and pictures, and what its figures show, from the numbers
    as they were scored again.
    """
    whole = folder / WHOLE
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
    return [name for name in files_below(report) if not (made / name).is_file()]


def _versions(drew: Mapping[str, str], here: Mapping[str, str]) -> str:
    if not drew:
        return "the bundle does not say which versions drew them"
    told = [", ".join(f"{name} {number}" for name, number in of.items()) for of in (drew, here)]
    return f"they were drawn by {told[0]}, and here is {told[1]}"
