"""Which run of a settings file is exported."""

import shlex
from dataclasses import dataclass
from pathlib import Path

from emonas.errors import EmonasError
from emonas.settings.messages import nearest
from emonas.settings.plan import Plan


@dataclass(frozen=True)
class Chosen:
    """A run of the settings: a system under a protocol, with one seed."""

    protocol: str
    system: str
    seed: int


def choose(plan: Plan, system: str | None, protocol: str | None, seed: int) -> Chosen:
    """The first run of the settings file that fits what was asked for.

    Raises:
        EmonasError: no run does.
    """
    fitting = [
        (of, name)
        for of, name in plan.runs
        if system in (None, name) and protocol in (None, of) and plan.tells_emotions(name)
    ]
    if not fitting:
        raise EmonasError(_why_none(plan, system, protocol))
    of, name = fitting[0]
    seeds = plan.runs[of, name]
    if not 0 <= seed < seeds:
        there = f"the seeds 0 to {seeds - 1}; choose one of these" if seeds > 1 else "seed 0 alone"
        raise EmonasError(f"--seed {seed}: {name} is run under {of} with {there}")
    return Chosen(of, name, seed)


def _why_none(plan: Plan, system: str | None, protocol: str | None) -> str:
    """What to export instead, in one sentence."""
    known = plan.settings.systems
    if system is not None and system not in known:
        near = nearest(system, (name for _, name in plan.runs))
        return f"{system}: the settings have no such system{near or _there(plan)}"
    if system is not None and not plan.tells_emotions(system):
        ends = [name for _, name in plan.runs if plan.start_of(name) == system]
        others = f", such as {ends[0]}, which starts from it" if ends else ""
        return (
            f"{system}: learns no emotion, so that there is nothing to predict; export another "
            f"system{others}"
        )
    asked = " under ".join(part for part in (system, protocol) if part) or "any system"
    for entry in plan.skipped:
        if system in (None, *entry["systems"]) and protocol in (None, entry["protocol"]):
            reason = rootless(plan, entry["protocol"]) or entry["reason"]
            return f"{asked}: can't be run here, so that there is nothing to export; {reason}"
    return f"{asked}: the settings have no such run{_there(plan)}"


def _there(plan: Plan) -> str:
    there = [f"{name} under {of}" for of, name in plan.runs if plan.tells_emotions(name)]
    return f"; there are: {', '.join(there) or 'none'}"


def rootless(plan: Plan, protocol: str) -> str:
    """The first corpus of a protocol whose folder is not known here, with the remedy that every
    command takes; empty where there is none.
    """
    return next(
        (
            f"corpora.{corpus}.root is not given: put it into `roots:` of the settings file, or "
            f"set EMONAS_DATA to the folder that holds {corpus}"
            for corpus in plan.corpora_of(protocol)
            if plan.missing_root(corpus)
        ),
        "",
    )


def refuse_before_run(results: Path, protocol: str, settings: Path) -> None:
    """Refuse a protocol of which there is no result yet.

    Raises:
        EmonasError: it has no folds.
    """
    if not (results / "protocols" / protocol / "folds.csv").exists():
        raise EmonasError(
            f"{settings}: {results.absolute()} has no results of {protocol} yet; run it first, in "
            f"this folder: snakemake --cores all --configfile {shlex.quote(str(settings))}"
        )
