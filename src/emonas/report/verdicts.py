"""Whether a search was worth it: its systems against linear and random ones, in plain words."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from emonas.report.gather import ProtocolResults, SystemResults
from emonas.report.words import listed, probability
from emonas.storage.comparisons import Comparisons
from emonas.storage.genotype import UNSEARCHED

LINEAR_NETWORKS = frozenset({"linear"})


@dataclass(frozen=True)
class Verdict:
    """One searched system. It `stands` better where it is better than all that it is compared with,
    by more than chance explains, worse where it is worse than one, and else unsure; none where
    nothing was compared with it.
    """

    system: str
    text: str
    stands: Literal["better", "worse", "unsure"] | None


def verdicts(protocol: ProtocolResults) -> list[Verdict]:
    """Compare every searched system with the linear ones of its protocol, and with random
    genotypes and hand-made cells of its own kind of network, by UA.
    """
    systems = protocol.emotional.values()
    baselines = [system for system in systems if _is_baseline(system)]
    return [
        _verdict(
            system,
            [other for other in baselines if _compares(system, other)],
            protocol.comparisons,
        )
        for system in systems
        if system.card.search and not _is_baseline(system)
    ]


def _is_baseline(system: SystemResults) -> bool:
    card = system.card
    return card.network in LINEAR_NETWORKS or card.search in UNSEARCHED


def _compares(system: SystemResults, baseline: SystemResults) -> bool:
    networks = {*LINEAR_NETWORKS, system.card.network}
    return baseline.card.network in networks


def _verdict(
    system: SystemResults, baselines: Sequence[SystemResults], comparisons: Comparisons
) -> Verdict:
    reached = f"reaches {100 * system.metrics.figure('ua').mean:.1f}% UA."
    if not baselines:
        text = (
            f"{reached} No linear system and none with a random genotype or hand-made cells was "
            "run under this protocol, so nothing here says what the search is worth."
        )
        return Verdict(system.name, text, None)
    said: dict[str, list[str]] = {}
    for other in baselines:
        how, what = _against(system, other, comparisons)
        said.setdefault(how, []).append(what)
    sentences = [f"{how} {listed(said[how])}." for how in _HOW if how in said]
    return Verdict(system.name, " ".join([reached, *sentences]), _stands(set(said)))


def _stands(said: set[str]) -> Literal["better", "worse", "unsure"] | None:
    if said == {_UNKNOWN}:
        return None
    if _WORSE in said:
        return "worse"
    return "better" if said == {_BETTER} else "unsure"


def _kind(baseline: SystemResults) -> str:
    if baseline.card.network in LINEAR_NETWORKS:
        return "linear"
    return "random-genotype" if baseline.card.search == "random" else baseline.card.search


_BETTER, _WORSE = "It is better than", "It is worse than"
_UNSURE, _UNKNOWN = "It can't be told from", "Nothing was tested against"
_HOW = (_BETTER, _WORSE, _UNSURE, _UNKNOWN)


def _against(
    system: SystemResults, other: SystemResults, comparisons: Comparisons
) -> tuple[str, str]:
    """How a system stands against another, and that other in words."""
    kind = _kind(other)
    theirs = other.metrics.figure("ua").mean
    named = f"the {kind} system {other.name} ({100 * theirs:.1f}%"
    pair = comparisons.of(system.name, other.name)
    if pair is None:
        reasons = [
            f"{name}: {comparisons.left_out[name]}"
            for name in (system.name, other.name)
            if name in comparisons.left_out
        ]
        return _UNKNOWN, f"{named}; {'; '.join(reasons) or 'the two were not compared'})"
    points = f"{abs(100 * pair.ua.difference):.1f} points"
    apart = f"{named}, {points} apart, {probability(pair.ua.adjusted)})"
    if not pair.ua.holds:
        return _UNSURE, apart
    return (_BETTER if pair.ua.difference > 0 else _WORSE), apart
