"""The inflation audit: what each habit of the field would add to the scores."""

from collections.abc import Iterator, Mapping
from typing import Any

from emonas.report.gather import ProtocolResults
from emonas.report.plan import ReportPlan
from emonas.report.summary import warnings
from emonas.report.tables import Column, Table
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
    Column("why", "Not told because"),
)
_NOTES = (
    "The same systems, utterances and seeds, scored as they must not be: with the epoch that is "
    "best on the test part, of the best seed, on a random split whose speakers are known from "
    "training, pooled over all folds where the mean of folds is told, with features scaled by "
    "mean and deviation over all parts. Added are points.",
    "No other figure of this report has any of them.",
)
_WHY = {
    BEST_SEED: "there is one seed",
    POOLED: "there is one fold",
    BEST_EPOCH: "the run has no `inflation: true`, or the system chooses no epoch",
    SCALED: "the run has no `inflation: true`, or the system scales nothing",
}
_WITHOUT_SPLIT = "no run of it has `test: random` on the same corpora and classes"
_IS_SPLIT = "this is such a split"


def inflation_table(
    plan: ReportPlan, protocol: ProtocolResults, others: Mapping[str, ProtocolResults]
) -> Table:
    """A row a system and habit; `others` are all protocols, among which a random split is found."""
    rows = list(_rows(plan, protocol, others))
    return Table(
        f"What habits would add under {protocol.name}",
        _COLUMNS,
        rows,
        (*warnings(protocol), *_NOTES),
    )


def _rows(
    plan: ReportPlan, protocol: ProtocolResults, others: Mapping[str, ProtocolResults]
) -> Iterator[Mapping[str, Any]]:
    split = random_split(plan, protocol, others)
    for name, system in protocol.emotional.items():
        for habit, why in _WHY.items():
            found = system.metrics.inflated.get(habit)
            row = {"system": name, "habit": habit}
            yield row | ({"why": why} if found is None else _cells(**found.model_dump()))
        row = {"system": name, "habit": RANDOM_SPLIT}
        if plan.protocols[protocol.name].test == "random":
            yield row | {"why": _IS_SPLIT}
        elif split is None or name not in split.emotional:
            yield row | {"why": _WITHOUT_SPLIT}
        else:
            there = split.emotional[name].metrics
            yield row | _cells(
                ua=there.figure("ua").mean,
                wa=there.figure("wa").mean,
                honest_ua=system.metrics.figure("ua").mean,
                honest_wa=system.metrics.figure("wa").mean,
            )


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
    """The first protocol that splits the same corpora and classes at random."""
    corpora = set(protocol.corpora)
    for other in others.values():
        same = set(other.corpora) == corpora and other.audit.labels == protocol.audit.labels
        if same and plan.protocols[other.name].test == "random" and other is not protocol:
            return other
    return None
