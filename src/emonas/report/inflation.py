"""The inflation audit: what each habit of the field would add to the scores."""

from collections.abc import Mapping
from typing import Any

from emonas.report.gather import ProtocolResults, SystemResults
from emonas.report.plan import ReportPlan
from emonas.report.summary import warnings
from emonas.report.tables import Column, Table
from emonas.report.words import listed
from emonas.storage.inflated import (
    BEST_EPOCH,
    BEST_SEED,
    POOLED,
    RANDOM_SPLIT,
    SCALED,
)

_COLUMNS = (
    Column("system", "System"),
    Column("habit", "Habit"),
    Column("honest_ua", "UA without (%)", "percent"),
    Column("ua", "UA with (%)", "percent"),
    Column("ua_added", "UA added", "points"),
    Column("honest_wa", "WA without (%)", "percent"),
    Column("wa", "WA with (%)", "percent"),
    Column("wa_added", "WA added", "points"),
)
_NOTES = (
    "The same systems, utterances and seeds, scored as they must not be: with the epoch (of a "
    "linear classifier, the strength) that is best on the test part, of the best seed, on a random "
    "split whose speakers are known from training (both as means over folds), pooled over all "
    "folds in the place of the mean over folds, with features scaled by mean and deviation over "
    "all parts. Added are points; they have no interval.",
    "No other score is made so, but for two that say it: where one speaker is tested at a time, a "
    "system's score is the pooled one, because a speaker can lack a class; and a protocol can be a "
    "random split.",
)
_WHY = {
    BEST_SEED: "there is one seed",
    POOLED: "there is one fold",
    BEST_EPOCH: "the run has no `inflation: true`, or the system chooses nothing in a training of "
    "its own, or learns its validation part too",
    SCALED: "the run has no `inflation: true`, or the system scales nothing in a training of its "
    "own",
}
_SPLITTING = frozenset(("groups", "repeats", "first", "share", "validation_share", "seed", "swap"))
"""What of a protocol's options says how its folds are made."""
_WITHOUT_SPLIT = "no run of it has `test: random` on the same utterances and classes"


def inflation_table(
    plan: ReportPlan, protocol: ProtocolResults, others: Mapping[str, ProtocolResults]
) -> Table:
    """A row a system and habit that can be told; `others` are all protocols, among which a random
    split is found. Notes say what can't be told, and why.
    """
    split = random_split(plan, protocol, others)
    rows: list[Mapping[str, Any]] = []
    untold: dict[tuple[str, str], list[str]] = {}
    for name, system in protocol.emotional.items():
        found = _found(system, split)
        rows += [{"system": name, "habit": habit, **cells} for habit, cells in found.items()]
        for habit, why in _reasons(plan, protocol).items():
            if habit not in found:
                untold.setdefault((habit, why), []).append(name)
    told = (f"Not told, {habit}: {listed(of)}, {why}." for (habit, why), of in untold.items())
    notes = (*warnings(protocol), *_NOTES, *told)
    return Table(f"What habits would add under {protocol.name}", _COLUMNS, rows, notes)


def _reasons(plan: ReportPlan, protocol: ProtocolResults) -> dict[str, str]:
    """Why each habit may not be told; a random split adds nothing to one."""
    random = plan.protocols[protocol.name].test == "random"
    return _WHY if random else {**_WHY, RANDOM_SPLIT: _WITHOUT_SPLIT}


def _found(system: SystemResults, split: ProtocolResults | None) -> dict[str, dict[str, float]]:
    """The habits that can be told of a system, with what they add."""
    metrics = system.metrics
    found = {habit: _cells(**score.model_dump()) for habit, score in metrics.inflated.items()}
    if split is not None and system.name in split.emotional:
        there = split.emotional[system.name].metrics
        found[RANDOM_SPLIT] = _cells(
            ua=there.figure("ua").folds_mean,
            wa=there.figure("wa").folds_mean,
            honest_ua=metrics.figure("ua").folds_mean,
            honest_wa=metrics.figure("wa").folds_mean,
        )
    return found


def _cells(ua: float, wa: float, honest_ua: float, honest_wa: float) -> dict[str, float]:
    return {
        "ua": ua,
        "wa": wa,
        "honest_ua": honest_ua,
        "honest_wa": honest_wa,
        "ua_added": ua - honest_ua,
        "wa_added": wa - honest_wa,
    }


def random_split(
    plan: ReportPlan, protocol: ProtocolResults, others: Mapping[str, ProtocolResults]
) -> ProtocolResults | None:
    """The first protocol that splits the same utterances and classes at random, where this one
    does not.
    """
    if plan.protocols[protocol.name].test == "random":
        return None
    corpora = set(protocol.corpora)
    for other in others.values():
        same = set(other.corpora) == corpora and other.audit.labels == protocol.audit.labels
        same = same and _selected(plan, other) == _selected(plan, protocol)
        if same and plan.protocols[other.name].test == "random":
            return other
    return None


def _selected(plan: ReportPlan, protocol: ProtocolResults) -> dict[str, Any]:
    """What of a protocol's options says which utterances there are, and how they count."""
    card = plan.protocols[protocol.name]
    return {"domain": card.domain} | {
        key: value for key, value in card.options.items() if key not in _SPLITTING
    }
