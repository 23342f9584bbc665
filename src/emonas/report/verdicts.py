"""Whether a search was worth it: its systems against linear and random ones, in plain words."""

from collections.abc import Sequence
from dataclasses import dataclass

from emonas.report.gather import ProtocolResults, SystemResults
from emonas.report.words import listed

LINEAR_NETWORKS = frozenset({"linear"})
RANDOM_SEARCHES = frozenset({"random"})


@dataclass(frozen=True)
class Verdict:
    """One searched system; `beats` is none where there is nothing to compare it with."""

    system: str
    text: str
    beats: bool | None


def verdicts(protocol: ProtocolResults) -> list[Verdict]:
    """Compare every searched system with the linear ones of its protocol, and with random
    genotypes of its own kind of network, by UA.
    """
    systems = protocol.emotional.values()
    baselines = [system for system in systems if _is_baseline(system)]
    return [
        _verdict(system, [other for other in baselines if _compares(system, other)])
        for system in systems
        if system.card.search and not _is_baseline(system)
    ]


def _is_baseline(system: SystemResults) -> bool:
    return system.card.network in LINEAR_NETWORKS or system.card.search in RANDOM_SEARCHES


def _compares(system: SystemResults, baseline: SystemResults) -> bool:
    networks = {*LINEAR_NETWORKS, system.card.network}
    return baseline.card.network in networks


def _verdict(system: SystemResults, baselines: Sequence[SystemResults]) -> Verdict:
    reached = 100 * system.metrics.figure("ua").mean
    if not baselines:
        text = (
            f"reaches {reached:.1f}% UA. No linear system and none with a random genotype was "
            "run under this protocol, so nothing here says what the search is worth."
        )
        return Verdict(system.name, text, None)
    beaten, unbeaten = [], []
    for other in baselines:
        theirs = 100 * other.metrics.figure("ua").mean
        kind = "linear" if other.card.network in LINEAR_NETWORKS else "random-genotype"
        named = f"the {kind} system {other.name} ({theirs:.1f}%)"
        points = f"by {abs(reached - theirs):.1f} points"
        if reached > theirs:
            beaten.append(f"{named} {points}")
        elif reached == theirs:
            unbeaten.append(f"{named}, which reaches the same")
        else:
            unbeaten.append(f"{named}, which is better {points}")
    sentence = f"reaches {reached:.1f}% UA. "
    if beaten:
        sentence += f"It beats {listed(beaten)}. "
    if unbeaten:
        sentence += f"It does not beat {listed(unbeaten)}."
    return Verdict(system.name, sentence.strip(), not unbeaten)
