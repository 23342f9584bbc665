"""Whether a search was worth it: its systems against linear and random ones, in plain words."""

from collections.abc import Sequence
from dataclasses import dataclass

from emonas.report.gather import ProtocolResults, SystemResults
from emonas.report.plan import ReportPlan
from emonas.report.words import listed

LINEAR_NETWORKS = frozenset({"linear"})
RANDOM_SEARCHES = frozenset({"random"})


@dataclass(frozen=True)
class Verdict:
    """One searched system; `beats` is none where its run has nothing to compare it with."""

    system: str
    text: str
    beats: bool | None


def verdicts(plan: ReportPlan, protocol: ProtocolResults) -> list[Verdict]:
    """Compare every searched system with the linear and random ones of the same run, by UA."""
    found: dict[str, list[str]] = {}
    for run in plan.runs:
        if run.protocol != protocol.name:
            continue
        baselines = [name for name in run.systems if _is_baseline(protocol.systems[name])]
        for name in run.systems:
            if protocol.systems[name].card.search and name not in baselines:
                others = found.setdefault(name, [])
                others += [other for other in baselines if other not in others]
    return [
        _verdict(protocol.systems[name], [protocol.systems[other] for other in others])
        for name, others in found.items()
    ]


def _is_baseline(system: SystemResults) -> bool:
    return system.card.network in LINEAR_NETWORKS or system.card.search in RANDOM_SEARCHES


def _verdict(system: SystemResults, baselines: Sequence[SystemResults]) -> Verdict:
    reached = 100 * system.metrics.ua.mean
    if not baselines:
        text = (
            f"reaches {reached:.1f}% UA. Its run has no linear system and none with a random "
            "genotype, so nothing here says what the search is worth."
        )
        return Verdict(system.name, text, None)
    beaten, unbeaten = [], []
    for other in baselines:
        theirs = 100 * other.metrics.ua.mean
        kind = "linear" if other.card.network in LINEAR_NETWORKS else "random genotype"
        text = f"{other.name} ({kind}, {theirs:.1f}%) by {abs(reached - theirs):.1f} points"
        if reached > theirs:
            beaten.append(text)
        elif reached == theirs:
            unbeaten.append(f"{other.name} ({kind}), which reaches the same")
        else:
            unbeaten.append(f"{text.replace(' by ', ', which is better by ', 1)}")
    sentence = f"reaches {reached:.1f}% UA. "
    if beaten:
        sentence += f"It beats {listed(beaten)}. "
    if unbeaten:
        sentence += f"It does not beat {listed(unbeaten)}."
    return Verdict(system.name, sentence.strip(), not unbeaten)
