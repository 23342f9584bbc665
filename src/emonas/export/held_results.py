"""The results of a bundle held against what the bundle of such a run has."""

from collections.abc import Generator
from pathlib import Path, PurePosixPath

from emonas.errors import EmonasError
from emonas.export.bundle import RESULTS, files_below
from emonas.export.held import Verified
from emonas.export.kept import Kept
from emonas.export.mishaps import STRIPPED, computed, guarded, unreadable
from emonas.export.stripped import KeptResults, strip_result
from emonas.report.plan import ReportPlan

_OF_CORPORA = ("corpora", "recognition")
"""Folders of results that are of no protocol."""


def results_held(plan: ReportPlan, folder: Path) -> Generator[Verified, None, None]:
    """What the bundle of such a run would not have: files, and in them texts, paths and parts. Of a
    protocol whose folds can't be read nothing is told.
    """
    results = folder / RESULTS
    kept = KeptResults(plan, results)
    known, unread = dict(kept.of_corpora()), set()
    for protocol in plan.run_protocols():
        try:
            known |= dict(kept.of_protocol(protocol))
        except EmonasError as error:
            unread.add(protocol)
            yield unreadable(error, folder)
    for name in files_below(results):
        if name in known:
            yield from guarded(_more(known[name], name, folder), folder, f"{RESULTS}/{name}")
        elif _protocol_of(name) not in unread:
            yield Verified(0, [f"{RESULTS}/{name}: is of no bundle"])


def _more(kind: Kept, name: str, folder: Path) -> Generator[Verified, None, None]:
    """Whether a result holds what is left out of a bundle."""
    results, stripped = folder / RESULTS, computed(folder, STRIPPED)
    strip_result(kind, name, results, stripped)
    if kind.holds_more(results / name, stripped / name):
        yield Verified(0, [f"{RESULTS}/{name}: holds what is left out of a bundle"])


def _protocol_of(name: str) -> str:
    """The protocol that a result is of, if it is of any."""
    stage, *within = PurePosixPath(name).parts
    return within[0] if stage not in _OF_CORPORA and len(within) > 1 else ""
