"""A layout for small directed graphs: columns from left to right, edges around the cards.

After Sugiyama et al. (1981): a node's column is its longest path from an input; an edge that
skips columns gets a place of its own in each of them, so that no edge runs behind a card; columns
are ordered by the mean place of what leads into them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

_GAP = 0.35
_LANE = 0.16
_SWEEPS = 12


@dataclass(frozen=True)
class Wire:
    """An edge into the input `port` of its target, counted from the top."""

    source: str
    target: str
    port: int


@dataclass(frozen=True)
class Layout:
    """Columns and heights: `y` is a card's middle; `lanes` are the places (column, y) that each
    wire passes on its way.
    """

    column: dict[str, int]
    y: dict[str, float]
    lanes: dict[Wire, list[tuple[int, float]]]


def lay_out(heights: Mapping[str, float], wires: Sequence[Wire]) -> Layout:
    """Place cards of the given heights (in the order of computation) and their wires."""
    column = _columns(heights, wires)
    size = dict(heights)
    chains: dict[Wire, list[str]] = {}
    for number, wire in enumerate(wires):
        chains[wire] = []
        for place in range(column[wire.source] + 1, column[wire.target]):
            lane = f"lane {number} {place}"
            size[lane] = _LANE
            column[lane] = place
            chains[wire].append(lane)
    links = [
        link
        for wire, chain in chains.items()
        for link in pairwise([wire.source, *chain, wire.target])
    ]
    y = _heights(column, size, links)
    lanes = {wire: [(column[lane], y[lane]) for lane in chain] for wire, chain in chains.items()}
    cards = {name: y[name] for name in heights}
    return Layout({name: column[name] for name in heights}, cards, lanes)


def _columns(names: Mapping[str, float], wires: Sequence[Wire]) -> dict[str, int]:
    column: dict[str, int] = {}
    for name in names:
        sources = [column[wire.source] for wire in wires if wire.target == name]
        column[name] = 1 + max(sources) if sources else 0
    return column


def _heights(
    column: Mapping[str, int], size: Mapping[str, float], links: Sequence[tuple[str, str]]
) -> dict[str, float]:
    columns: list[list[str]] = [[] for _ in range(max(column.values()) + 1)]
    for name in size:
        columns[column[name]].append(name)
    before: dict[str, list[str]] = {name: [] for name in size}
    after: dict[str, list[str]] = {name: [] for name in size}
    for source, target in links:
        before[target].append(source)
        after[source].append(target)
    y: dict[str, float] = {}
    for names in columns:
        _stack(names, size, dict.fromkeys(names, 0.0), y)
    for sweep in range(_SWEEPS):
        forward = sweep % 2 == 0
        beside = before if forward else after
        for names in columns if forward else reversed(columns):
            wish = {name: _mean([y[other] for other in beside[name]], y[name]) for name in names}
            names.sort(key=lambda name: wish[name])
            _stack(names, size, wish, y)
    return y


def _mean(values: Sequence[float], otherwise: float) -> float:
    return sum(values) / len(values) if values else otherwise


def _stack(
    names: Sequence[str],
    size: Mapping[str, float],
    wish: Mapping[str, float],
    y: dict[str, float],
) -> None:
    """Put a column's cards one below another in order, as near to their wishes as that allows."""
    groups: list[tuple[float, list[str], list[float]]] = []
    for name in names:
        group = (wish[name], [name], [0.0])
        while groups and _overlap(groups[-1], group, size):
            group = _joined(groups.pop(), group, size, wish)
        groups.append(group)
    for middle, members, offsets in groups:
        for name, offset in zip(members, offsets, strict=True):
            y[name] = middle + offset


def _overlap(
    upper: tuple[float, list[str], list[float]],
    lower: tuple[float, list[str], list[float]],
    size: Mapping[str, float],
) -> bool:
    end = upper[0] + upper[2][-1] + size[upper[1][-1]] / 2
    return lower[0] + lower[2][0] - size[lower[1][0]] / 2 < end + _GAP


def _joined(
    upper: tuple[float, list[str], list[float]],
    lower: tuple[float, list[str], list[float]],
    size: Mapping[str, float],
    wish: Mapping[str, float],
) -> tuple[float, list[str], list[float]]:
    """Two groups as one without a gap, its middle where its members' wishes are best met."""
    step = size[upper[1][-1]] / 2 + _GAP + size[lower[1][0]] / 2
    shift = upper[2][-1] + step - lower[2][0]
    members = upper[1] + lower[1]
    offsets = upper[2] + [offset + shift for offset in lower[2]]
    middle = _mean([wish[name] - off for name, off in zip(members, offsets, strict=True)], 0.0)
    return middle, members, offsets
