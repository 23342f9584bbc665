"""The settings file of a bundle held against what its report and its scores go by."""

from pathlib import Path

from pydantic import BaseModel

from emonas.errors import EmonasError
from emonas.export.bundle import (
    PLAN,
    files_below,
    protocol_file,
    read_scoring,
    scoring_of,
    told_plan,
)
from emonas.export.mishaps import within_bundle
from emonas.export.side_by_side import pairs
from emonas.report.plan import ReportPlan
from emonas.settings.as_run import AsRun, load_elsewhere


def settings_differ(folder: Path, told: ReportPlan) -> list[str]:
    """What `plan.json` and the scoring of an unpacked bundle say otherwise than its settings file;
    what was skipped on the machine of the run they alone know.
    """
    name = told.settings_file
    if "/" in name or name not in files_below(folder):
        return [f"{PLAN}: settings_file is {name!r}, which is not in the bundle"]
    try:
        plan = AsRun(load_elsewhere(folder / name), told)
        held: list[tuple[str, BaseModel, BaseModel]] = [(PLAN, told, told_plan(plan, name))]
        for of in told.run_protocols():
            held.append((protocol_file(of), read_scoring(folder, of), scoring_of(plan, of)))
    except EmonasError as error:
        problem = within_bundle(str(error), folder)
        return [f"{name}: can't be held against {PLAN} ({problem})"]
    # A run that the settings do not have.
    except KeyError as error:
        return [f"{PLAN}: {name} has no {error.args[0]}"]
    return [
        f"{file}: {place} is {said!r}, and {wanted!r} by {name}"
        for file, one, other in held
        for place, said, wanted in pairs(one.model_dump(mode="json"), other.model_dump(mode="json"))
        if said != wanted
    ]
