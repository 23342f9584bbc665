"""The jobs of a settings file, rule by rule."""

from collections.abc import Iterator
from dataclasses import dataclass

from emonas.settings.forecast.sizes import ProtocolSize
from emonas.settings.plan import Plan

RULES = (
    "corpora",
    "protocols",
    "fold",
    "audit",
    "features",
    "search",
    "train",
    "fuse",
    "evaluate",
    "report",
)


@dataclass(frozen=True)
class Jobs:
    """Jobs of one rule that are alike; `count` is None where the folds are not known.

    `protocol` and `system`, or `corpus` and `feature`, say what they work on. Skipped jobs are
    those of systems that can't be run here.
    """

    rule: str
    count: int | None
    skipped: bool = False
    protocol: str = ""
    system: str = ""
    corpus: str = ""
    feature: str = ""


def list_jobs(plan: Plan, sizes: dict[str, ProtocolSize | None]) -> list[Jobs]:
    """All jobs of a settings file, those of skipped systems too; `sizes` by protocol."""
    seeds = all_runs(plan)
    jobs = [*_shared_jobs(plan, seeds, sizes)]
    for (protocol, system), count in seeds.items():
        size = sizes[protocol]
        jobs += _system_jobs(plan, protocol, system, count, None if size is None else size.folds)
    jobs.append(Jobs("report", 1))
    return jobs


def all_runs(plan: Plan) -> dict[tuple[str, str], int]:
    """Seeds by protocol and system, of skipped ones too."""
    seeds: dict[tuple[str, str], int] = {}
    for run in plan.settings.runs:
        for system in run.systems:
            key = run.protocol, system
            seeds[key] = max(run.seeds, seeds.get(key, 0))
    return seeds


def _shared_jobs(
    plan: Plan, runs: dict[tuple[str, str], int], sizes: dict[str, ProtocolSize | None]
) -> Iterator[Jobs]:
    """What several systems have in common: corpora, protocols, features."""
    corpora = {c: p in plan.protocols for p, _ in runs for c in plan.corpora_of(p)}
    corpora |= {c: True for p in plan.protocols for c in plan.corpora_of(p)}
    for corpus, needed in corpora.items():
        yield Jobs("corpora", 1, not needed, corpus=corpus)
    for protocol in dict.fromkeys(protocol for protocol, _ in runs):
        skipped, size = protocol not in plan.protocols, sizes[protocol]
        yield Jobs("protocols", 1, skipped, protocol=protocol)
        yield Jobs("fold", None if size is None else size.folds, skipped, protocol=protocol)
        yield Jobs("audit", 1, skipped, protocol=protocol)
    heard: dict[tuple[str, str], bool] = {}
    for protocol, system in runs:
        for corpus in plan.corpora_of(protocol):
            for feature in plan.features_of(system):
                needed = heard.get((corpus, feature), False)
                heard[corpus, feature] = needed or (protocol, system) in plan.runs
    for (corpus, feature), needed in heard.items():
        yield Jobs("features", 1, not needed, corpus=corpus, feature=feature)


def _system_jobs(
    plan: Plan, protocol: str, system: str, seeds: int, folds: int | None
) -> Iterator[Jobs]:
    skipped = (protocol, system) not in plan.runs
    each = None if folds is None else seeds * folds
    if plan.is_searched(system):
        searches = seeds if plan.uses_shared_search(system) else each
        yield Jobs("search", searches, skipped, protocol, system)
    yield Jobs(plan.stage_of(system), each, skipped, protocol, system)
    yield Jobs("evaluate", 1, skipped, protocol, system)
