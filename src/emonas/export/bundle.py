"""A run in one archive that anyone may have: what its numbers were computed from."""

import shlex
import shutil
import tempfile
import zipfile
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from emonas import __version__
from emonas.errors import EmonasError
from emonas.export.choosing import refuse_before_run, rootless
from emonas.export.pictures import drawn_by
from emonas.export.stripped import strip_results
from emonas.machine import cores
from emonas.report.job import write_report
from emonas.report.plan import ReportPlan
from emonas.settings.cards import report_plan
from emonas.settings.plan import Plan
from emonas.storage.atomic import whole_file, write_text
from emonas.storage.digests import digest_of_file

CONTENTS = "bundle.json"
RESULTS = "results"
REPORT = "report"
PLAN = "plan.json"
LOCKS = "lock*.txt"
"""What is named so in `envs`, and at the top of a bundle, pins versions."""
_NUMBERED = (".csv", ".md", ".tex", ".rst")
"""Files of a report that hold numbers."""
_TIME = (1980, 1, 1, 0, 0, 0)
"""Of every file, so that the same run gives the same bytes."""


class Scoring(BaseModel):
    """How the figures of a protocol are computed from its predictions."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    pooled: bool
    repeated: bool
    tested_elsewhere: dict[str, list[str]]


class Contents(BaseModel):
    """What `bundle.json` says: the SHA-256 of every file, by name, and the versions that drew the
    report's pictures.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    emonas: str
    drawn_by: dict[str, str] = Field(default_factory=dict)
    files: dict[str, str]


def write_bundle(plan: Plan, settings: Path, results: Path, locks: Path, output: Path) -> int:
    """Write the archive; gives how many files are in it.

    Args:
        plan: the settings file's jobs.
        settings: the settings file.
        results: what the workflow wrote.
        locks: the folder of the lock files.
        output: the archive.

    Raises:
        EmonasError: a result is missing or damaged, or the report is not of these results.
    """
    told = told_plan(plan, settings.name)
    for protocol in told.run_protocols():
        refuse_before_run(results, protocol, settings)
    with tempfile.TemporaryDirectory(prefix="emonas-") as name:
        folder = Path(name)
        strip_results(told, results, folder / RESULTS)
        write_report(told, folder / RESULTS, folder / REPORT, workers=cores())
        _refuse_another_report(results / REPORT, folder / REPORT, _unfound(plan, results))
        shutil.copyfile(settings, folder / settings.name)
        for lock in _locks(locks):
            shutil.copyfile(lock, folder / lock.name)
        write_text(folder / PLAN, told.model_dump_json(indent=1) + "\n")
        scoring = {name: scoring_of(plan, name) for name in told.run_protocols()}
        for protocol, how in scoring.items():
            write_text(folder / protocol_file(protocol), how.model_dump_json(indent=1) + "\n")
        files = {name: folder / name for name in files_below(folder)}
        digests = {name: digest_of_file(path) for name, path in files.items()}
        contents = Contents(emonas=__version__, drawn_by=drawn_by(), files=digests)
        write_text(folder / CONTENTS, contents.model_dump_json(indent=1) + "\n")
        _archive({**files, CONTENTS: folder / CONTENTS}, output)
    return len(files)


def protocol_file(protocol: str) -> str:
    """Where the scoring of a protocol stands."""
    return f"scoring/{protocol}.json"


def told_plan(plan: Plan, settings: str) -> ReportPlan:
    """The report's plan of a settings file of this name, as a bundle has it."""
    return report_plan(
        plan, settings, f"snakemake --cores all --configfile {shlex.quote(settings)}"
    )


def scoring_of(plan: Plan, protocol: str) -> Scoring:
    """How the figures of a protocol are computed, by the settings."""
    params = plan.evaluate_params(protocol)
    elsewhere = {
        system: list(plan.tested_elsewhere(protocol, system))
        for other, system in plan.runs
        if other == protocol
    }
    return Scoring(pooled=params["pooled"], repeated=params["repeated"], tested_elsewhere=elsewhere)


def _unfound(plan: Plan, results: Path) -> str:
    """Why a protocol is left out whose results are there: its corpus was given on the command line
    or by a variable that is no longer set.
    """
    for protocol in dict.fromkeys(entry["protocol"] for entry in plan.skipped):
        if (results / "protocols" / protocol / "folds.csv").exists() and (
            reason := rootless(plan, protocol)
        ):
            return f"there are results of {protocol}, but {reason}"
    return ""


def _refuse_another_report(made: Path, again: Path, unfound: str) -> None:
    """Refuse results that changed since the report was made, or a report of another file."""
    remedy = unfound or "run the workflow with this settings file, and bundle then"
    for name in numbered_files(again):
        there = made / name
        if not there.exists() or there.read_bytes() != (again / name).read_bytes():
            raise EmonasError(f"{there}: is not what the results give; {remedy}")


def numbered_files(report: Path) -> list[str]:
    """The files of a report that hold its numbers: the tables, what the figures show, and captions,
    relative to its folder.
    """
    return [name for name in files_below(report) if name.endswith(_NUMBERED)]


def _locks(folder: Path) -> list[Path]:
    if found := sorted(folder.glob(LOCKS)):
        return found
    raise EmonasError(
        f"{folder}: has no {LOCKS}, which says which versions ran; bundle in the folder of the "
        "run, with its envs"
    )


def files_below(folder: Path) -> list[str]:
    """The files of a folder and of those in it, relative to it."""
    found = (path for path in folder.rglob("*") if path.is_file())
    return sorted(path.relative_to(folder).as_posix() for path in found)


def _archive(files: dict[str, Path], output: Path) -> None:
    with (
        whole_file(output) as temporary,
        zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as archive,
    ):
        for name, path in files.items():
            archive.writestr(zipfile.ZipInfo(name, _TIME), path.read_bytes(), zipfile.ZIP_DEFLATED)


def read_contents(folder: Path) -> Contents:
    """What an unpacked bundle says that it holds."""
    return Contents.model_validate_json((folder / CONTENTS).read_bytes())


def read_plan(folder: Path) -> ReportPlan:
    """The report's plan of an unpacked bundle."""
    return ReportPlan.model_validate_json((folder / PLAN).read_text(encoding="utf-8"))


def read_scoring(folder: Path, protocol: str) -> Scoring:
    """How a protocol of an unpacked bundle is scored."""
    path = folder / protocol_file(protocol)
    return Scoring.model_validate_json(path.read_text(encoding="utf-8"))
