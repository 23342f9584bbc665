"""The stage's one job: results become tables, figures and a page."""

import shutil
from collections.abc import Mapping
from pathlib import Path

from emonas.jobs import report_line
from emonas.report import names
from emonas.report.audits import classes_table, parts_table
from emonas.report.captions import write_captions
from emonas.report.choices import choices_table
from emonas.report.common import common_tables
from emonas.report.comparisons import comparisons_table
from emonas.report.connections import connections_table
from emonas.report.domains import domains_summary
from emonas.report.drawings import draw_figures
from emonas.report.gather import ProtocolResults, gather
from emonas.report.labels import map_table
from emonas.report.numbers import write_numbers
from emonas.report.overview import standings
from emonas.report.own import OwnFigures
from emonas.report.page import Papers, write_page
from emonas.report.paper_figures import write_paper_figure
from emonas.report.papers import paper_summary
from emonas.report.plan import ReportPlan
from emonas.report.protocol_card import protocol_card, utterances_table
from emonas.report.recognition import read_rates
from emonas.report.sections import sections
from emonas.report.summary import folds_summary, systems_summary
from emonas.report.tables import write_tables
from emonas.report.transfers import transfer_summary


def write_report(plan: ReportPlan, results: Path, output: Path, workers: int = 1) -> None:
    """Write `index.html`, `tables` and `figures` into `output`; `workers` processes draw.

    Everything is made in a folder beside it that takes its place when it is whole: a report that
    broke off leaves the one before as it was.

    Raises:
        EmonasError: a file of the results is missing or damaged, or a table names a system or
            protocol that is not known.
    """
    folder = output.with_name(f".{output.name}-new")
    shutil.rmtree(folder, ignore_errors=True)
    try:
        _write(plan, results, folder, workers)
        _replace(folder, output)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _write(plan: ReportPlan, results: Path, folder: Path, workers: int) -> None:
    gathered = gather(plan, results)
    rates = read_rates(plan, results)
    # Which the workflow waits for, although a search in one fold has no other.
    (folder / names.FOLDS).mkdir(parents=True)
    own = OwnFigures(plan, gathered, rates)
    tables = {name: paper_summary(own, name, said) for name, said in plan.tables.items()}
    for name, table in tables.items():
        write_tables(folder / names.paper_table(name), table)
    for protocol in gathered.values():
        _write_protocol(plan, protocol, gathered, folder)
    common = common_tables(plan, gathered, rates, results)
    for stem, table in common.items():
        write_tables(folder / stem, table)
    report_line("the tables are written")
    stood = standings(gathered.values())
    draw_figures(gathered.values(), folder, workers, stood)
    write_numbers(gathered.values(), stood, folder)
    write_captions(plan, gathered, folder)
    figures = {
        name: write_paper_figure(own, name, said, results, folder)
        for name, said in plan.figures.items()
    }
    report_line("the figures are drawn")
    write_page(plan, gathered, Papers(tables, figures), common, folder)


def _write_protocol(
    plan: ReportPlan,
    protocol: ProtocolResults,
    gathered: Mapping[str, ProtocolResults],
    folder: Path,
) -> None:
    write_tables(folder / names.card_table(protocol.name), protocol_card(plan, protocol))
    write_tables(folder / names.utterances_table(protocol.name), utterances_table(protocol))
    write_tables(folder / names.parts_table(protocol.name), parts_table(protocol.audit))
    write_tables(folder / names.classes_table(protocol.name), classes_table(protocol.audit))
    write_tables(folder / names.systems_table(protocol.name), systems_summary(protocol))
    write_tables(folder / names.comparisons_table(protocol.name), comparisons_table(protocol))
    write_tables(folder / names.folds_table(protocol.name), folds_summary(protocol))
    for section in sections(plan, protocol, gathered):
        write_tables(folder / section.stem, section.table)
    if protocol.domain:
        write_tables(folder / names.domains_table(protocol.name), domains_summary(protocol))
    for corpus in protocol.transfers:
        stem = folder / names.transfer_table(protocol.name, corpus)
        write_tables(stem, transfer_summary(protocol, corpus))
        audit = protocol.audit.transfer[corpus]
        write_tables(folder / names.map_table(protocol.name, corpus), map_table(audit, corpus))
    for system in protocol.systems.values():
        if system.card.search:
            stem = folder / names.choices_table(protocol.name, system.name)
            write_tables(stem, choices_table(system))
        table = connections_table(f"Connections of {system.name}", system.genotypes)
        if table is not None:
            write_tables(folder / names.connections_table(protocol.name, system.name), table)


def _replace(folder: Path, output: Path) -> None:
    former = output.with_name(f".{output.name}-former")
    shutil.rmtree(former, ignore_errors=True)
    if output.exists():
        output.rename(former)
    folder.rename(output)
    shutil.rmtree(former, ignore_errors=True)
