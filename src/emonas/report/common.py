"""The tables of the whole report, which are no protocol's and no paper's."""

from collections.abc import Mapping
from pathlib import Path

from emonas.report import names
from emonas.report.encoders import encoders_table
from emonas.report.gather import ProtocolResults
from emonas.report.left_out import left_out_table, problems_table
from emonas.report.overview import overview_table
from emonas.report.plan import ReportPlan
from emonas.report.recognition import Rates, recognition_table
from emonas.report.tables import Table


def common_tables(
    plan: ReportPlan, gathered: Mapping[str, ProtocolResults], rates: Rates, results: Path
) -> dict[str, Table]:
    """The tables by the stems of their files.

    Raises:
        EmonasError: a list of problems is damaged.
    """
    found = {
        names.overview_table(): overview_table(gathered),
        names.encoders_table(): encoders_table(plan),
        names.recognition_table(): recognition_table(plan, rates),
        names.left_out_table(): left_out_table(plan),
        names.problems_table(): problems_table(plan, results),
    }
    return {stem: table for stem, table in found.items() if table is not None}
