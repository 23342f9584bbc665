"""What was run, and how its best systems stand: a line a protocol."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from emonas.report.comparisons import too_few
from emonas.report.gather import ProtocolResults
from emonas.report.reached import cells
from emonas.report.summary import INTERVAL_NOTE, chance, with_bounds
from emonas.report.tables import Column, Table
from emonas.report.words import count, listed
from emonas.storage.comparisons import Pair
from emonas.storage.metrics import Figure

_FEW = 4
_COLUMNS = (
    Column("protocol", "Protocol"),
    Column("best", "Highest UA"),
    # Early, as what the scores are against is: a screen may be narrower than the table.
    Column("mind", "To bear in mind"),
    Column("ua", "UA (%)", "percent", "ua_std"),
    Column("ua", "95% interval", "interval"),
    Column("chance", "Chance", "percent"),
    Column("against", "Against the other systems"),
    Column("wa", "WA (%)", "percent", "wa_std"),
    Column("wa", "95% interval", "interval"),
    Column("systems", "Systems", "count"),
)
_NOTE = (
    "The system of the highest mean UA under each protocol. It was picked by these scores, so "
    "that its own is a little too high. It is called better than another only where the test in "
    "pairs says so."
)

_BETTER, _UNSURE, _NOT_COMPARED = "better than", "can't be told from", "not compared with"
_TOO_FEW = "too few speakers to tell it from"


@dataclass(frozen=True)
class Standing:
    """The systems of a protocol by their UA: the best one's name, and what chance reaches."""

    protocol: str
    best: str
    scores: Mapping[str, Figure]
    chance: float
    synthetic: bool


def standings(gathered: Iterable[ProtocolResults]) -> list[Standing]:
    """The protocols in which any system learns emotion."""
    return [found for protocol in gathered if (found := _standing(protocol))]


def _standing(protocol: ProtocolResults) -> Standing | None:
    scores = {name: of.metrics.figure("ua") for name, of in protocol.emotional.items()}
    if not scores:
        return None
    best = max(scores, key=lambda name: scores[name].mean)
    level, _ = chance(protocol.systems[best].metrics.confusion)
    return Standing(protocol.name, best, scores, level, protocol.synthetic)


def overview_table(gathered: Mapping[str, ProtocolResults]) -> Table:
    """A row a protocol."""
    rows = [_row(protocol) for protocol in gathered.values()]
    notes = (_NOTE, INTERVAL_NOTE) if any("ua_low" in row for row in rows) else (_NOTE,)
    return Table("Overview", with_bounds(_COLUMNS, rows), rows, notes)


def _row(protocol: ProtocolResults) -> dict[str, Any]:
    row: dict[str, Any] = {
        "protocol": protocol.name,
        "systems": len(protocol.systems),
        "mind": ", ".join(_mind(protocol)),
    }
    if (standing := _standing(protocol)) is None:
        return {**row, "best": "no system learns emotion"}
    metrics = protocol.systems[standing.best].metrics
    return {
        **row,
        "best": standing.best,
        **cells("ua", metrics.ua, metrics),
        **cells("wa", metrics.wa, metrics),
        "chance": standing.chance,
        "against": "; ".join(_against(protocol, standing)),
    }


def _mind(protocol: ProtocolResults) -> Iterator[str]:
    if protocol.synthetic:
        yield "synthetic speech"
    if protocol.speaker_dependent:
        yield "speaker-dependent"
    weights = {overlap.checkpoint for overlap in protocol.overlaps}
    if weights:
        yield f"{listed(sorted(weights))} heard this speech before"


def _against(protocol: ProtocolResults, standing: Standing) -> Iterator[str]:
    pairs = {frozenset((pair.first, pair.second)): pair for pair in protocol.comparisons.pairs}
    groups: dict[str, list[str]] = {_BETTER: [], _UNSURE: [], _NOT_COMPARED: []}
    for other in standing.scores:
        if other != standing.best:
            pair = pairs.get(frozenset((standing.best, other)))
            groups[_verdict(pair, standing.best)].append(other)
    powerless = any(too_few(protocol.comparisons.pairs))
    for verdict, others in groups.items():
        said = _TOO_FEW if verdict == _UNSURE and powerless else verdict
        if others:
            yield f"{said} {_few(others)}"


def _verdict(pair: Pair | None, best: str) -> str:
    if pair is None:
        return _NOT_COMPARED
    sign = 1 if pair.first == best else -1
    return _BETTER if pair.ua.holds and sign * pair.ua.difference > 0 else _UNSURE


def _few(others: Sequence[str]) -> str:
    """All where they are few, otherwise how many."""
    return listed(others) if len(others) <= _FEW else count(len(others), "system")
