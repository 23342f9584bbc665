"""The inflation audit: what each habit of the field would add to the scores."""

from collections.abc import Mapping
from typing import Any

from emonas.report.differences import random_split
from emonas.report.gather import ProtocolResults, SystemResults
from emonas.report.plan import ReportPlan
from emonas.report.reached import bounds
from emonas.report.summary import PAIRED_NOTE, warnings
from emonas.report.tables import Column, Table
from emonas.report.words import listed
from emonas.storage.inflated import (
    BEST_EPOCH,
    BEST_SEED,
    POOLED,
    RANDOM_SPLIT,
    SCALED,
)
from emonas.storage.metrics import Inflated, Metrics

_COLUMNS = (
    Column("system", "System"),
    Column("habit", "Habit"),
    Column("honest_ua", "UA without (%)", "percent"),
    Column("ua", "UA with (%)", "percent"),
    Column("ua_added", "UA added", "points", bounds="ua_added"),
    Column("honest_wa", "WA without (%)", "percent"),
    Column("wa", "WA with (%)", "percent"),
    Column("wa_added", "WA added", "points", bounds="wa_added"),
)
_NOTES = (
    "The same systems, utterances and seeds, scored as they must not be: with the epoch (of a "
    "linear classifier, the strength) that is best on the test part, of the best seed, on a random "
    "split whose speakers are known from training (both as means over folds), pooled over all "
    "folds in the place of the mean over folds, with features scaled by mean and deviation over "
    "all parts. Added are points.",
    "No other score is made so, but where a protocol says it: one can be a random split, and one "
    "that tests a speaker at a time has pooled scores, because a speaker can lack a class, unless "
    "the speaker's partner validates.",
)
_BEST_NOTE = (
    "To pick the best seed is part of that habit: every draw picks it again, among the seeds drawn."
)
_WHY = {
    BEST_SEED: "there is one seed",
    POOLED: "there is one fold",
    BEST_EPOCH: "the run has no `inflation: true`, or the system chooses nothing in a training of "
    "its own, or learns its validation part too",
    SCALED: "the run has no `inflation: true`, or the system scales nothing in a training of its "
    "own",
}
_WITHOUT_SPLIT = "no run of it has `test: random` on the same utterances and classes"


def inflation_table(
    plan: ReportPlan, protocol: ProtocolResults, others: Mapping[str, ProtocolResults]
) -> Table:
    """A row a system and habit that can be told; `others` are all protocols, among which a random
    split is found. Notes say what can't be told, and why.
    """
    split = _split_of(plan, protocol, others)
    rows: list[Mapping[str, Any]] = []
    untold: dict[tuple[str, str], list[str]] = {}
    for name, system in protocol.emotional.items():
        found = _found(system, split)
        rows += [{"system": name, "habit": habit, **cells} for habit, cells in found.items()]
        for habit, why in _reasons(plan, protocol).items():
            if habit not in found:
                untold.setdefault((habit, why), []).append(name)
    told = (f"Not told, {habit}: {listed(of)}, {why}." for (habit, why), of in untold.items())
    drawn = {row["habit"] for row in rows if "ua_added_low" in row}
    paired = [*([PAIRED_NOTE] if drawn else []), *([_BEST_NOTE] if BEST_SEED in drawn else [])]
    notes = (*warnings(protocol), *_NOTES, *paired, *told)
    return Table(f"What habits would add under {protocol.name}", _COLUMNS, rows, notes)


def _reasons(plan: ReportPlan, protocol: ProtocolResults) -> dict[str, str]:
    """Why each habit may not be told; a random split adds nothing to one."""
    random = plan.protocols[protocol.name].test == "random"
    return _WHY if random else {**_WHY, RANDOM_SPLIT: _WITHOUT_SPLIT}


def _found(system: SystemResults, split: ProtocolResults | None) -> dict[str, dict[str, Any]]:
    """The habits that can be told of a system, with what they add."""
    metrics = system.metrics
    found = {habit: _cells(score) for habit, score in metrics.inflated.items()}
    if split is not None and system.name in split.emotional:
        found[RANDOM_SPLIT] = _cells(_split_score(metrics, split))
    return found


def _split_score(metrics: Metrics, split: ProtocolResults) -> Inflated:
    """The means over folds under a random split, and without."""
    there = split.emotional[metrics.system].metrics
    apart = split.differences and split.differences.of(metrics.system, metrics.protocol)
    return Inflated(
        ua=there.figure("ua").folds_mean,
        wa=there.figure("wa").folds_mean,
        honest_ua=metrics.figure("ua").folds_mean,
        honest_wa=metrics.figure("wa").folds_mean,
        ua_interval=apart and apart.ua.folds_interval,
        wa_interval=apart and apart.wa.folds_interval,
    )


def _cells(score: Inflated) -> dict[str, Any]:
    return {
        "ua": score.ua,
        "wa": score.wa,
        "honest_ua": score.honest_ua,
        "honest_wa": score.honest_wa,
        "ua_added": score.ua - score.honest_ua,
        "wa_added": score.wa - score.honest_wa,
        **bounds("ua_added", score.ua_interval),
        **bounds("wa_added", score.wa_interval),
    }


def _split_of(
    plan: ReportPlan, protocol: ProtocolResults, others: Mapping[str, ProtocolResults]
) -> ProtocolResults | None:
    """The random split of the same utterances, where it has the same classes."""
    name = random_split(plan, protocol.name)
    split = None if name is None else others[name]
    return split if split and split.audit.labels == protocol.audit.labels else None
