"""The stage's one job: results become tables, figures and a page."""

import shutil
from pathlib import Path

from emonas.jobs import report_line
from emonas.report import names
from emonas.report.drawings import draw_figures
from emonas.report.gather import gather
from emonas.report.page import write_page
from emonas.report.papers import paper_summary
from emonas.report.plan import ReportPlan
from emonas.report.recognition import recognition_table
from emonas.report.summary import folds_summary, systems_summary
from emonas.report.tables import write_tables


def write_report(plan: ReportPlan, results: Path, output: Path) -> None:
    """Write `index.html`, `tables` and `figures` into `output`.

    Everything is made in a folder beside it that takes its place when it is whole: a report that
    broke off leaves the one before as it was.

    Raises:
        EmonasError: a file of the results is missing or damaged, or a table names a system or
            protocol that is not known.
    """
    folder = output.with_name(f".{output.name}-new")
    shutil.rmtree(folder, ignore_errors=True)
    try:
        _write(plan, results, folder)
        _replace(folder, output)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _write(plan: ReportPlan, results: Path, folder: Path) -> None:
    gathered = gather(plan, results)
    papers = {
        name: paper_summary(plan, gathered, name, options) for name, options in plan.tables.items()
    }
    for name, table in papers.items():
        write_tables(folder / names.paper_table(name), table)
    for protocol in gathered.values():
        summary = systems_summary(protocol)
        write_tables(folder / names.systems_table(protocol.name), summary)
        write_tables(folder / names.folds_table(protocol.name), folds_summary(protocol))
    recognition = recognition_table(plan, results)
    if recognition is not None:
        write_tables(folder / names.recognition_table(), recognition)
    report_line("the tables are written")
    draw_figures(gathered.values(), folder)
    report_line("the figures are drawn")
    write_page(plan, gathered, papers, recognition, results, folder)


def _replace(folder: Path, output: Path) -> None:
    former = output.with_name(f".{output.name}-former")
    shutil.rmtree(former, ignore_errors=True)
    if output.exists():
        output.rename(former)
    folder.rename(output)
    shutil.rmtree(former, ignore_errors=True)
