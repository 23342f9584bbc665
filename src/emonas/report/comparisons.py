"""The table of a protocol's systems in pairs."""

from collections.abc import Iterator, Sequence
from typing import Any

from emonas.report.gather import ProtocolResults
from emonas.report.reached import bounds
from emonas.report.summary import PAIRED_NOTE, warnings
from emonas.report.tables import Column, Table
from emonas.report.words import count
from emonas.storage.comparisons import LEVEL, SWAPS, Difference, Pair

COMPARISON_NOTE = (
    "A difference is that of the first system less the second, in points of the mean that the "
    "table of systems shows, on the same test utterances. If the two were alike, it would not "
    "matter which had answered a speaker's utterances: p is the share of such swaps, speaker by "
    "speaker, that part the two at least as far (two-sided; all swaps of up to 13 speakers, 9999 "
    "of more), corrected for all pairs of the protocol by Holm's method. A system is called "
    f"better where p is below {LEVEL}."
)
_COLUMNS = (
    Column("first", "System"),
    Column("second", "Against"),
    Column("ua", "UA, difference", "points", bounds="ua"),
    Column("ua_p", "UA, p", "probability"),
    Column("ua_better", "Better in UA"),
    Column("wa", "WA, difference", "points", bounds="wa"),
    Column("wa_p", "WA, p", "probability"),
    Column("wa_better", "Better in WA"),
    Column("speakers", "Speakers", "count"),
)


def comparisons_table(protocol: ProtocolResults) -> Table:
    """All pairs, and below them why a system is in none."""
    found = protocol.comparisons
    left_out = [f"{name} is not compared: {why}." for name, why in found.left_out.items()]
    rows = [_row(pair) for pair in found.pairs]
    paired = [PAIRED_NOTE] if any("ua_low" in row for row in rows) else []
    notes = (*warnings(protocol), COMPARISON_NOTE, *paired, *too_few(found.pairs), *left_out)
    return Table(f"Systems in pairs under {protocol.name}", _COLUMNS, rows, notes)


def too_few(pairs: Sequence[Pair]) -> Iterator[str]:
    """Say where nothing could be called better, whatever it reached: of n speakers no p is below
    2 / 2^n, nor below what the swaps that are drawn allow, and Holm's correction multiplies the
    smallest by the number of pairs.
    """
    if not pairs:
        return
    speakers = max(pair.speakers for pair in pairs)
    smallest = min(1.0, len(pairs) * 2 / min(2**speakers, SWAPS + 1))
    if smallest >= LEVEL:
        yield (
            f"With {speakers} speakers and {count(len(pairs), 'pair')} no p can be below "
            f"{smallest:.3f}: nothing here could be called better, whatever it reached."
        )


def _row(pair: Pair) -> dict[str, Any]:
    return {
        "first": pair.first,
        "second": pair.second,
        "speakers": pair.speakers,
        **_cells("ua", pair.ua, pair),
        **_cells("wa", pair.wa, pair),
    }


def _cells(stem: str, figure: Difference, pair: Pair) -> dict[str, Any]:
    better = pair.first if figure.difference > 0 else pair.second
    return {
        stem: figure.difference,
        **bounds(stem, figure.interval),
        f"{stem}_p": figure.adjusted,
        f"{stem}_better": better if figure.holds else "",
    }
