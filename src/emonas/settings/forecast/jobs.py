"""The jobs of a settings file, rule by rule."""

from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from emonas.settings.plan import Plan
from emonas.settings.sizes import ProtocolSize

Key = TypeVar("Key", bound=Hashable)
Needs = dict[tuple[str, str], bool]
"""Pairs of a corpus and what is made from it, and whether anything that can be run needs it."""

RULES = (
    "corpora",
    "protocols",
    "fold",
    "transfer",
    "audit",
    "checkpoint",
    "transcripts",
    "features",
    "search",
    "train",
    "train_inflated",
    "train_transfer",
    "fuse",
    "fuse_transfer",
    "evaluate",
    "compare",
    "differences",
    "speed",
    "recognition",
    "report",
)


@dataclass(frozen=True)
class Jobs:
    """Jobs of one rule that are alike; `count` is None where the folds are not known.

    `protocol` and `system`, `corpus` and `feature` or `transcript`, or `checkpoint` say what they
    work on. Skipped jobs are those of systems that can't be run here, and of error rates that
    can't be had.
    """

    rule: str
    count: int | None
    skipped: bool = False
    protocol: str = ""
    system: str = ""
    corpus: str = ""
    feature: str = ""
    transcript: str = ""
    checkpoint: str = ""


def list_jobs(plan: Plan, sizes: dict[str, ProtocolSize | None]) -> list[Jobs]:
    """All jobs of a settings file, those of skipped systems too; `sizes` by protocol."""
    seeds = all_runs(plan)
    heard, recognised = _heard_features(plan, seeds), _recognised(plan)
    jobs = [*_shared_jobs(plan, seeds, sizes), *_heard_jobs(plan, heard, recognised)]
    for (protocol, system), count in seeds.items():
        size = sizes[protocol]
        jobs += _system_jobs(plan, protocol, system, count, None if size is None else size.folds)
    for (corpus, transcript), needed in recognised.items():
        jobs.append(Jobs("recognition", 1, not needed, corpus=corpus, transcript=transcript))
    jobs.append(Jobs("report", 1))
    return jobs


def all_runs(plan: Plan) -> dict[tuple[str, str], int]:
    """Seeds by protocol and system, of skipped ones too, but not of what is left out."""
    seeds: dict[tuple[str, str], int] = {}
    for run in plan.settings.runs:
        for system in run.systems:
            if not plan.left_out(run.protocol, system):
                key = run.protocol, system
                seeds[key] = max(run.seeds, seeds.get(key, 0))
    return seeds


def _shared_jobs(
    plan: Plan, runs: dict[tuple[str, str], int], sizes: dict[str, ProtocolSize | None]
) -> Iterator[Jobs]:
    """What several systems have in common: corpora and protocols."""
    corpora = {c: p in plan.protocols for p, _ in runs for c in plan.heard_corpora(p)}
    for corpus, _ in _recognised(plan):
        corpora.setdefault(corpus, False)
    corpora |= {c: True for p in plan.protocols for c in plan.heard_corpora(p)}
    corpora |= {corpus: True for corpus, _ in plan.recognised}
    for corpus, needed in corpora.items():
        yield Jobs("corpora", 1, not needed, corpus=corpus)
    for protocol in dict.fromkeys(protocol for protocol, _ in runs):
        skipped, size = protocol not in plan.protocols, sizes[protocol]
        yield Jobs("protocols", 1, skipped, protocol=protocol)
        yield Jobs("fold", None if size is None else size.folds, skipped, protocol=protocol)
        if transfers := len(plan.transfers_of(protocol)):
            yield Jobs("transfer", transfers, skipped, protocol=protocol)
        yield Jobs("audit", 1, skipped, protocol=protocol)
        yield Jobs("compare", 1, skipped, protocol=protocol)
        if protocol in plan.differences:
            yield Jobs("differences", 1, skipped, protocol=protocol)


def _heard_features(plan: Plan, runs: dict[tuple[str, str], int]) -> Needs:
    """Corpora and the features of them that systems hear."""
    return _merged(
        ((corpus, feature), (protocol, system) in plan.runs)
        for protocol, system in runs
        for corpus in plan.heard_corpora(protocol)
        for feature in plan.features_of(system)
    )


def _recognised(plan: Plan) -> Needs:
    """Corpora and transcripts whose error rates are asked for."""
    pairs = dict.fromkeys(plan.recognised, True)
    left = ((entry["corpus"], entry["transcript"]) for entry in plan.unrecognised)
    return pairs | dict.fromkeys(left, False)


def _heard_jobs(plan: Plan, heard: Needs, recognised: Needs) -> Iterator[Jobs]:
    """Features, and the transcripts and weights that they, systems and error rates need."""
    settings = plan.settings
    read = [
        ((corpus, str(settings.features[feature].transcript)), needed)
        for (corpus, feature), needed in heard.items()
        if getattr(settings.features[feature], "transcript", None) is not None
    ]
    transcripts = _merged([*read, *recognised.items()])
    users = [(settings.features[feature], needed) for (_, feature), needed in heard.items()]
    users += [(settings.transcripts[name], needed) for (_, name), needed in transcripts.items()]
    users += [
        (settings.systems[name], run in plan.runs)
        for run in all_runs(plan)
        for name in plan.trained_of(run[1])
    ]
    named = ((getattr(options, "checkpoint", None), needed) for options, needed in users)
    weights = _merged((name, needed) for name, needed in named if name is not None)
    for checkpoint, needed in weights.items():
        yield Jobs("checkpoint", 1, not needed, checkpoint=checkpoint)
    for (corpus, transcript), needed in transcripts.items():
        yield Jobs("transcripts", 1, not needed, corpus=corpus, transcript=transcript)
    for (corpus, feature), needed in heard.items():
        yield Jobs("features", 1, not needed, corpus=corpus, feature=feature)


def _merged(entries: Iterable[tuple[Key, bool]]) -> dict[Key, bool]:
    """Each key once, needed where any of its entries is."""
    merged: dict[Key, bool] = {}
    for key, needed in entries:
        merged[key] = merged.get(key, False) or needed
    return merged


def _system_jobs(
    plan: Plan, protocol: str, system: str, seeds: int, folds: int | None
) -> Iterator[Jobs]:
    skipped = (protocol, system) not in plan.runs
    each = None if folds is None else seeds * folds
    if plan.searches(system):
        searches = seeds if plan.uses_shared_search(system) else each
        yield Jobs("search", searches, skipped, protocol, system)
    stage = plan.stage_of(system)
    yield Jobs(stage, each, skipped, protocol, system)
    if plan.inflates(protocol, system):
        yield Jobs("train_inflated", each, skipped, protocol, system)
    if transfers := len(plan.tested_elsewhere(protocol, system)):
        count = None if each is None else transfers * each
        yield Jobs(f"{stage}_transfer", count, skipped, protocol, system)
    yield Jobs("evaluate", 1, skipped, protocol, system)
    if plan.settings.speed and plan.tells_emotions(system):
        yield Jobs("speed", 1, skipped, protocol, system)
