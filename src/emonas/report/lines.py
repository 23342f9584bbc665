"""The papers' figures: what is drawn, and the table of the same numbers."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from emonas.report.options import (
    FigureOptions,
    RowOptions,
    TableOptions,
    published_by_point,
)
from emonas.report.own import Own, OwnFigures
from emonas.report.papers import Entry, summary
from emonas.report.tables import Column, Table


@dataclass(frozen=True)
class Line:
    """A line of a panel: own figures and published ones by number, and baselines by name.

    What was not run is not among them.
    """

    name: str
    points: Mapping[float, Own]
    baselines: Mapping[str, Own]
    published: Mapping[float, float]


@dataclass(frozen=True)
class Panel:
    """One panel and its lines, in the order of the settings."""

    name: str
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class _Place:
    """Where an entry of a panel stands: at a number, or as a baseline of a name."""

    panel: str
    name: str
    number: float | None
    entry: Entry


def figure_panels(own: OwnFigures, name: str, options: FigureOptions) -> tuple[Panel, ...]:
    """What a figure draws.

    Raises:
        EmonasError: a system is not known, or its protocol can't be told.
    """
    places = list(_places(name, options))
    return tuple(
        Panel(title, tuple(_line(own, options, places, title, line) for line in options.lines))
        for title in options.panels
    )


def figure_table(own: OwnFigures, name: str, options: FigureOptions) -> Table:
    """The numbers of a figure: a row a panel and point, published and own beside each other.

    Raises:
        EmonasError: a system is not known, or its protocol can't be told.
    """
    places = list(_places(name, options))
    said = TableOptions(
        title=options.title,
        source=options.source,
        rows={},
        columns=options.lines,
        notes=options.notes,
    )
    table = summary(own, name, [place.entry for place in places], said)
    where = (Column("panel", "Panel"), Column("point", _axis(options)))
    rows = [
        {**row, "panel": place.panel, "point": place.name}
        for row, place in zip(table.rows, places, strict=True)
    ]
    return replace(table, columns=(*where, *table.columns[1:]), rows=rows)


def _axis(options: FigureOptions) -> str:
    return options.axis or "point"


def _places(name: str, options: FigureOptions) -> Iterator[_Place]:
    lost = dict.fromkeys(options.lines, options.published) if options.published else {}
    for title, panel in options.panels.items():
        path = f"figures.{name}.panels.{title}"
        for number, printed in published_by_point(panel).items():
            row = RowOptions(system=panel.points.get(number), published={**lost, **printed})
            label = f"{title}, {_axis(options)} {number:g}"
            entry = Entry(f"{path}.points.{number:g}", label, row)
            yield _Place(title, f"{number:g}", number, entry)
        for baseline, system in panel.baselines.items():
            row = RowOptions(system=system, published={**lost})
            entry = Entry(f"{path}.baselines.{baseline}", f"{title}, {baseline}", row)
            yield _Place(title, baseline, None, entry)


def _line(
    own: OwnFigures, options: FigureOptions, places: list[_Place], panel: str, name: str
) -> Line:
    points: dict[float, Own] = {}
    baselines: dict[str, Own] = {}
    published: dict[float, float] = {}
    for place in places:
        if place.panel != panel:
            continue
        row = place.entry.row
        found = own.of(place.entry.path, name, options.lines[name], row, None)
        if place.number is None:
            baselines |= {place.name: found} if found.value is not None else {}
            continue
        if found.value is not None:
            points[place.number] = found
        value = row.published.get(name)
        if isinstance(value, float):
            published[place.number] = value
    return Line(name, points, baselines, published)
