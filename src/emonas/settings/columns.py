"""What the columns of tables and the lines of figures ask of protocols."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from emonas.errors import EmonasError
from emonas.report.options import ColumnOptions
from emonas.report.resolving import protocol_of
from emonas.settings.messages import nearest

UsedDomain = tuple[str, str, str]
"""The path of a key, a protocol, and the domain of it that the key names."""


@dataclass(frozen=True)
class Shown:
    """A column, or a figure's line, by the path of its key, and a system that it shows with the
    protocol: none where it shows no system, or one that is in no run.
    """

    path: str
    column: ColumnOptions
    system: str | None
    protocol: str | None

    @property
    def protocols(self) -> list[str]:
        """Those whose figures it shows."""
        return [name for name in (self.protocol, self.column.less) if name is not None]


def shown_columns(settings: Any) -> Iterator[Shown]:
    """Every column and line with every system that it shows; one that shows none stands alone.

    Raises:
        EmonasError: the protocol of a figure can't be told.
    """
    for name, figure in line_figures(settings):
        for title, line in figure.lines.items():
            for place, system in _drawn(figure):
                here = f"figures.{name}.{place}"
                protocol = protocol_of(here, system, (line.protocol,), settings.runs)
                yield Shown(f"figures.{name}.lines.{title}", line, system, protocol)
    for name, table in settings.tables.items():
        for title, column in table.columns.items():
            if column.corpus is None:
                yield from _of_rows(settings, name, title, column, table)


def line_figures(settings: Any) -> Iterator[tuple[str, Any]]:
    """The figures of lines, by name."""
    for name, figure in settings.figures.items():
        if figure.kind == "lines":
            yield name, figure


def _of_rows(
    settings: Any, name: str, title: str, column: ColumnOptions, table: Any
) -> Iterator[Shown]:
    path = f"tables.{name}.columns.{title}"
    rows = {label: row for label, row in table.rows.items() if row.system is not None}
    for label, row in rows.items():
        named = (column.protocol, row.protocol, table.protocol)
        here = f"tables.{name}.rows.{label}"
        yield Shown(path, column, row.system, protocol_of(here, row.system, named, settings.runs))
    if not rows:
        yield Shown(path, column, None, column.protocol)


def _drawn(figure: Any) -> Iterator[tuple[str, str]]:
    """Each place of a figure and its system."""
    for title, panel in figure.panels.items():
        for number, system in panel.points.items():
            yield f"panels.{title}.points.{number:g}", system
        for baseline, system in panel.baselines.items():
            yield f"panels.{title}.baselines.{baseline}", system


def check_columns(settings: Any) -> None:
    """Check that the protocols of every column have what it shows of them.

    Raises:
        EmonasError: a transfer or a domain is not among those of its protocol, the other protocol
            of a difference does not run a system, or the protocol of a row can't be told.
    """
    for shown in shown_columns(settings):
        _check_transfer(settings, shown)
        _check_less(settings, shown)
    for path, protocol, domain in domains_of_columns(settings):
        check_domain(settings, path, protocol, domain)


def _check_transfer(settings: Any, shown: Shown) -> None:
    """A transfer is one of those that the protocol has."""
    corpus = shown.column.transfer
    if corpus is None or shown.protocol is None:
        return
    known = settings.protocols[shown.protocol].transfer
    if corpus not in known:
        raise EmonasError(
            f"{shown.path}.transfer: protocol {shown.protocol} has no transfer to "
            f"{corpus}{nearest(corpus, known)}"
        )


def domains_of_columns(settings: Any) -> Iterator[UsedDomain]:
    """Every domain that a column or line names.

    Raises:
        EmonasError: the protocol of a figure can't be told.
    """
    for shown in shown_columns(settings):
        if shown.column.domain is not None:
            for protocol in shown.protocols:
                yield f"{shown.path}.domain", protocol, shown.column.domain


def check_domain(settings: Any, path: str, protocol: str, domain: str) -> None:
    """Check that a protocol has domains, and this one among them as far as the settings tell.

    Raises:
        EmonasError: it has not.
    """
    options = settings.protocols[protocol]
    if not options.has_domains:
        raise EmonasError(
            f"{path}: protocol {protocol} has no domains; give it domain: language or domain: "
            "corpus, or leave domain out here"
        )
    known = known_domains(options)
    if known and domain not in known:
        raise EmonasError(f"{path}: {no_domain(protocol, domain, known)}")


def known_domains(protocol: Any) -> tuple[str, ...]:
    """The domains of a protocol as far as the settings tell: of the languages, only a filter says
    before the corpora are read which there are.
    """
    return tuple(protocol.corpora if protocol.domain == "corpus" else protocol.language)


def no_domain(protocol: str, domain: str, known: Any) -> str:
    """That a protocol has no such domain, and which it has."""
    there = ", ".join(sorted(known))
    return f"protocol {protocol} has no domain {domain}{nearest(domain, known)} (there are {there})"


def _check_less(settings: Any, shown: Shown) -> None:
    """A system that is shown runs under the other protocol, too."""
    less = shown.column.less
    if less is None:
        return
    if less == shown.protocol:
        raise EmonasError(
            f"{shown.path}.less: is the protocol of the column itself ({less}); name another"
        )
    if shown.system is None:
        return
    if not any(run.protocol == less and shown.system in run.systems for run in settings.runs):
        raise EmonasError(
            f"{shown.path}.less: {shown.system} is in no run under {less}; add it to one, or name "
            "another protocol"
        )
