"""What was not run, and the files that could not be used as they are."""

from pathlib import Path

from emonas.report.plan import ReportPlan
from emonas.report.tables import Column, Table
from emonas.report.words import listed
from emonas.storage.manifest import read_problems

_LEFT_OUT = (
    Column("what", "What"),
    Column("where", "Where"),
    Column("which", "Which"),
    Column("why", "Why"),
)
_PROBLEMS = (
    Column("corpus", "Corpus"),
    Column("file", "File"),
    Column("problem", "What is wrong"),
    Column("consequence", "What became of it"),
)


def left_out_table(plan: ReportPlan) -> Table:
    """Runs, tests on other corpora and error rates that could not be had, and why."""
    rows = [("runs", skip.protocol, listed(skip.systems), skip.reason) for skip in plan.skipped]
    rows += [
        ("test on another corpus", entry.protocol, entry.corpus, entry.reason)
        for entry in plan.untransferred
    ]
    rows += [
        ("error rates", entry.corpus, entry.transcript, entry.reason) for entry in plan.unrecognised
    ]
    keys = [column.key for column in _LEFT_OUT]
    return Table(
        "What was left out", _LEFT_OUT, [dict(zip(keys, row, strict=True)) for row in rows]
    )


def problems_table(plan: ReportPlan, results: Path) -> Table:
    """A row a file with a problem, of the corpora that the runs use.

    Raises:
        EmonasError: a list of problems is damaged.
    """
    cards = [plan.protocols[protocol] for protocol in plan.run_protocols()]
    used = {name for card in cards for name in (*card.corpora, *card.transfer)}
    rows = []
    for corpus in plan.corpora:
        path = results / "corpora" / corpus / "problems.csv"
        if corpus in used and path.exists():
            found = read_problems(path).to_dict("records")
            rows += [{"corpus": corpus, **{str(key): row[key] for key in row}} for row in found]
    return Table("Files with a problem", _PROBLEMS, rows)
