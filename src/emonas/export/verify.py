"""Computing every number of a bundle again from its predictions, without audio or torch."""

from __future__ import annotations

import shutil
from collections.abc import Generator, Iterable, Mapping
from pathlib import Path

from pydantic import TypeAdapter

from emonas.errors import EmonasError
from emonas.export.bundle import (
    CONTENTS,
    LOCKS,
    REPORT,
    RESULTS,
    files_below,
    numbered_files,
    read_contents,
    read_plan,
    read_scoring,
)
from emonas.export.held import Verified, held_text
from emonas.export.held_folds import folds_held
from emonas.export.held_results import results_held
from emonas.export.held_scores import scores_held
from emonas.export.held_settings import settings_differ
from emonas.export.mishaps import AGAIN, MADE, WHOLE, computed, guarded
from emonas.export.pictures import alike, drawn_by, pictures_of, shown_otherwise
from emonas.export.unpacking import (
    added_files,
    changed_files,
    keys_twice,
    strange_files,
    unpacked,
)
from emonas.machine import cores
from emonas.report.job import write_report
from emonas.report.plan import ReportPlan
from emonas.settings.model import Name
from emonas.storage.problems import first_problem

PAGE = "index.html"
_NAMES = TypeAdapter(list[Name])


def verify_bundle(bundle: Path) -> Verified:
    """Score everything again, and hold it against what the bundle says.

    Raises:
        EmonasError: the file is no bundle, or does not say how it is scored.
    """
    with unpacked(bundle) as folder:
        plan = _told_plan(bundle, folder)
        found = Verified(0, [])
        for held in _all(folder, plan):
            found = found.joined(held)
        return found


def _told_plan(bundle: Path, folder: Path) -> ReportPlan:
    """The plan of an unpacked bundle, which says of all that was run how it is scored."""
    try:
        plan = read_plan(folder)
        # Names stand in paths.
        _NAMES.validate_python([*plan.tables, *plan.figures])
        for protocol in plan.run_protocols():
            card, systems = plan.protocols[protocol], plan.run_systems(protocol)
            searchers = [plan.systems[name].searcher or name for name in systems]
            _NAMES.validate_python([protocol, *systems, *searchers, *card.corpora, *card.transfer])
            scoring = read_scoring(folder, protocol)
            for system in systems:
                _NAMES.validate_python(scoring.tested_elsewhere[system])
    # What can be missing that somebody wrote by hand.
    except (KeyError, OSError, ValueError) as error:
        raise EmonasError(
            f"{bundle}: does not say how it is scored ({first_problem(error)}); bundle the run "
            "again"
        ) from error
    return plan


def _all(folder: Path, plan: ReportPlan) -> Generator[Verified, None, None]:
    """Files, settings, folds, metrics, comparisons and report of an unpacked bundle; the report of
    which all protocols could be scored.
    """
    yield from guarded(_files_held(folder, plan), folder, CONTENTS)
    settings = _settings_held(folder, plan)
    if (yield from guarded(settings, folder, plan.settings_file)):
        yield from guarded(folds_held(folder, plan), folder, plan.settings_file)
    whole = yield from guarded(scores_held(plan, folder), folder, RESULTS)
    yield from guarded(results_held(plan, folder), folder, RESULTS)
    if whole:
        yield from guarded(_report_held(plan, folder), folder, REPORT)


def _files_held(folder: Path, plan: ReportPlan) -> Generator[Verified, None, None]:
    """Which files are there, by the list of them and by the plan."""
    changed = changed_files(folder)
    yield _each(f"{name}: its bytes are not those that were bundled" for name in changed)
    yield _each(f"{name}: was not bundled" for name in added_files(folder))
    yield _each(f"{name}: is of no bundle" for name in strange_files(folder, plan))
    yield Verified(0, [] if any(folder.glob(LOCKS)) else [f"{LOCKS}: none is in the bundle"])
    yield _each(keys_twice(folder))


def _settings_held(folder: Path, plan: ReportPlan) -> Generator[Verified, None, bool]:
    """What differs from the settings file; gives whether nothing does."""
    wrong = settings_differ(folder, plan)
    yield Verified(0, wrong)
    return not wrong


def _each(wrong: Iterable[str]) -> Verified:
    return Verified(0, list(wrong))


def _report_held(plan: ReportPlan, folder: Path) -> Generator[Verified, None, None]:
    """The report's tables, captions, page and pictures, and what its figures show, from the numbers
    as they were scored again.
    """
    whole = computed(folder, WHOLE)
    whole.mkdir()
    # A report of nothing has neither.
    for results in filter(Path.exists, (folder / RESULTS, computed(folder, AGAIN))):
        shutil.copytree(results, whole, dirs_exist_ok=True)
    report, made = folder / REPORT, computed(folder, MADE)
    write_report(plan, whole, made, workers=cores())
    yield _each(f"{REPORT}/{name}: is not of this report" for name in _more(report, made))
    for name in (*numbered_files(made), PAGE):
        yield held_text(report / name, made / name, f"{REPORT}/{name}")
    pictures, unheld = _pictures(report, made, read_contents(folder).drawn_by)
    yield Verified(0, pictures, unheld)


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
