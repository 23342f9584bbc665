"""The tables of a protocol: its systems, and every fold and seed."""

from typing import Any

from emonas.report.gather import ProtocolResults
from emonas.report.tables import Column, Table
from emonas.report.words import describe
from emonas.storage.metrics import Figure, Metrics

SYNTHETIC_WARNING = (
    "The speech is synthetic: these scores say that the pipeline works, not that it recognises "
    "emotion."
)
SPEAKER_DEPENDENT_WARNING = (
    "The protocol is speaker-dependent: speakers of the test part were heard in training, so its "
    "scores are no estimate for a new speaker."
)
_SYSTEM_COLUMNS = (
    Column("system", "System"),
    Column("ua", "UA (%)", "percent", "ua_std"),
    Column("wa", "WA (%)", "percent", "wa_std"),
    Column("ua_folds", "UA over folds", "percent", "ua_folds_std"),
    Column("wa_folds", "WA over folds", "percent", "wa_folds_std"),
    Column("parameters", "Parameters", "millions"),
    Column("parameters_search", "Search network", "millions"),
    Column("seeds", "Seeds", "count"),
    Column("what", "What it is"),
)
_FOLD_COLUMNS = (
    Column("system", "System"),
    Column("fold", "Fold"),
    Column("seed", "Seed"),
    Column("ua", "UA (%)", "percent"),
    Column("wa", "WA (%)", "percent"),
    Column("utterances", "Utterances", "count"),
    Column("classes", "Classes", "count"),
)


def warnings(protocol: ProtocolResults) -> tuple[str, ...]:
    """What must stand beside every score of a protocol."""
    found = [SYNTHETIC_WARNING] if protocol.synthetic else []
    if protocol.speaker_dependent:
        found.append(SPEAKER_DEPENDENT_WARNING)
    return (*found, *(overlap.warning for overlap in protocol.overlaps))


def deviation(figure: Figure, metrics: Metrics) -> float | None:
    """The deviation to show behind a mean: none where there was nothing to deviate."""
    return None if metrics.seeds == 1 and figure.std == 0 else figure.std


def chance(metrics: Metrics) -> tuple[float, float]:
    """UA and WA of always answering the commonest class of the test parts."""
    totals = [sum(row) for row in metrics.confusion]
    present = [total for total in totals if total]
    return 1 / len(present), max(present) / sum(present)


def systems_summary(protocol: ProtocolResults) -> Table:
    """The systems of a protocol, and chance level as the last row."""
    rows: list[dict[str, Any]] = []
    for name, system in protocol.systems.items():
        metrics = system.metrics
        several = len({fold.fold for fold in metrics.folds}) > 1
        rows.append(
            {
                "system": name,
                "what": describe(system.card),
                "ua": metrics.ua.mean,
                "ua_std": deviation(metrics.ua, metrics),
                "wa": metrics.wa.mean,
                "wa_std": deviation(metrics.wa, metrics),
                "ua_folds": metrics.ua.folds_mean,
                "ua_folds_std": metrics.ua.folds_std if several else None,
                "wa_folds": metrics.wa.folds_mean,
                "wa_folds_std": metrics.wa.folds_std if several else None,
                "parameters": metrics.parameters.derived,
                "parameters_search": metrics.parameters.search,
                "seeds": metrics.seeds,
            }
        )
    first = next(iter(protocol.systems.values())).metrics
    ua, wa = chance(first)
    rows.append({"system": "chance", "what": "always the commonest class", "ua": ua, "wa": wa})
    notes = (*warnings(protocol), _what_mean_is(first))
    return Table(f"Systems under {protocol.name}", _SYSTEM_COLUMNS, rows, notes)


def _what_mean_is(metrics: Metrics) -> str:
    if metrics.pooled:
        return (
            "UA and WA are those of a seed's test predictions pooled over all folds, each "
            "utterance once, averaged over seeds; ± is the standard deviation over seeds."
        )
    return (
        "UA and WA are means over folds, averaged over seeds; ± is the standard deviation over "
        "seeds, or over folds where a fold is a repeated random split."
    )


def folds_summary(protocol: ProtocolResults) -> Table:
    """UA and WA of every system, fold and seed."""
    rows = [
        {"system": name, **score.model_dump(), "seed": str(score.seed)}
        for name, system in protocol.systems.items()
        for score in system.metrics.folds
    ]
    caption = f"Every fold and seed under {protocol.name}"
    return Table(caption, _FOLD_COLUMNS, rows, warnings(protocol))
