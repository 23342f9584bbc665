"""Names that the tables and figures of papers use."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from emonas.errors import EmonasError
from emonas.report import names
from emonas.settings.columns import check_columns, line_figures
from emonas.settings.figures import Use, check_figures, uses_of_figures


def uses_of_papers(settings: Any) -> Iterator[Use]:
    """Every name that a table or figure uses, and what there is of its kind."""
    for name, table in settings.tables.items():
        path = f"tables.{name}"
        yield from _named(settings, path, table, ("protocol",))
        yield from _columns(settings, f"{path}.columns", table.columns)
        for title, row in table.rows.items():
            here = f"{path}.rows.{title}"
            yield from _named(settings, here, row, ("system", "transcript", "protocol"))
            for column in row.published:
                yield f"{here}.published", "column", column, table.columns
    yield from uses_of_figures(settings)
    for name, figure in line_figures(settings):
        path = f"figures.{name}"
        yield from _columns(settings, f"{path}.lines", figure.lines)
        for title, panel in figure.panels.items():
            here = f"{path}.panels.{title}"
            for number, system in panel.points.items():
                yield f"{here}.points.{number:g}", "system", system, settings.systems
            for baseline, system in panel.baselines.items():
                yield f"{here}.baselines.{baseline}", "system", system, settings.systems
            for line in panel.published:
                yield f"{here}.published", "line", line, figure.lines


def _columns(settings: Any, path: str, columns: Mapping[str, Any]) -> Iterator[Use]:
    for name, column in columns.items():
        yield from _named(settings, f"{path}.{name}", column, ("protocol", "corpus"))
        if column.transfer is not None:
            yield f"{path}.{name}.transfer", "corpus", column.transfer, settings.corpora
        if column.less is not None:
            yield f"{path}.{name}.less", "protocol", column.less, settings.protocols


def _named(settings: Any, path: str, options: Any, kinds: Iterable[str]) -> Iterator[Use]:
    """Names under keys that say their kind."""
    parts = {
        "system": settings.systems,
        "transcript": settings.transcripts,
        "protocol": settings.protocols,
        "corpus": settings.corpora,
    }
    for kind in kinds:
        if (used := getattr(options, kind)) is not None:
            yield f"{path}.{kind}", kind, used, parts[kind]


def check_papers(settings: Any) -> None:
    """Check what tables and figures ask of names that are defined.

    Raises:
        EmonasError: a column does not fit its protocols, the protocol of a row can't be told, or a
            table and a figure have one name.
    """
    _check_names(settings)
    check_figures(settings)
    check_columns(settings)


def _check_names(settings: Any) -> None:
    """No table and no figure takes the file of another, or one of the report's own."""
    own = {
        names.recognition_table(),
        names.overview_table(),
        names.overview_figure(),
        names.encoders_table(),
        names.left_out_table(),
        names.problems_table(),
    }
    for protocol, options in settings.protocols.items():
        own |= {
            named(protocol)
            for named in (
                names.systems_table,
                names.folds_table,
                names.comparisons_table,
                names.card_table,
                names.utterances_table,
                names.parts_table,
                names.classes_table,
                names.inflation_table,
                names.cost_table,
                names.cost_figure,
                names.ledger_table,
                names.stability_table,
            )
        }
        for corpus in options.transfer:
            own |= {names.transfer_table(protocol, corpus), names.map_table(protocol, corpus)}
        own |= {names.domains_table(protocol)} if options.has_domains else set()
        own.add(names.systems_figure(protocol))
        for system in settings.systems:
            own |= {
                named(protocol, system)
                for named in (
                    names.confusion_figure,
                    names.curves_figure,
                    names.cells_figure,
                    names.alphas_figure,
                    names.connections_table,
                    names.choices_table,
                )
            }
    stems = {names.figure_table(name, figure) for name, figure in settings.figures.items()}
    own |= stems - {names.paper_table(name) for name in settings.figures}
    for name in settings.tables:
        if names.paper_table(name) in own:
            raise EmonasError(
                f"tables.{name}: a table of the report has this name; name it otherwise"
            )
    for name in settings.figures:
        path = f"figures.{name}"
        if name in settings.tables:
            raise EmonasError(f"{path}: a table has this name; name one of them otherwise")
        if {names.paper_table(name), names.paper_figure(name)} & own:
            raise EmonasError(f"{path}: a file of the report has this name; name it otherwise")
