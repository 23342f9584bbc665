"""`index.html`: one page that holds everything it shows."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from emonas.report import names
from emonas.report.encoders import encoders_table
from emonas.report.gather import ProtocolResults
from emonas.report.paper_figures import PaperFigure
from emonas.report.pictures import Picture, picture
from emonas.report.plan import ReportPlan
from emonas.report.system_view import system_anchor
from emonas.report.tables import Table, show
from emonas.report.views import (
    CorpusProblems,
    protocol_view,
    skipped_by_reason,
)
from emonas.report.words import count
from emonas.storage.atomic import write_text
from emonas.storage.manifest import read_problems

_SHOWN_PROBLEMS = 200


@dataclass(frozen=True)
class Papers:
    """The tables and the figures of papers, by name."""

    tables: Mapping[str, Table]
    figures: Mapping[str, PaperFigure]

    @property
    def heading(self) -> str:
        """What they are together; empty where there are none."""
        kinds = [kind for kind in ("tables", "figures") if getattr(self, kind)]
        return f"{' and '.join(kinds)} of the papers".capitalize() if kinds else ""


def write_page(
    plan: ReportPlan,
    gathered: Mapping[str, ProtocolResults],
    papers: Papers,
    recognition: Table | None,
    results: Path,
    folder: Path,
) -> None:
    """Write `index.html` into `folder`, whose figures are drawn already."""
    environment = Environment(
        loader=PackageLoader("emonas.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals |= {
        "show": show,
        "count": count,
        "system_anchor": system_anchor,
        "paper_stem": names.paper_table,
    }
    html = environment.get_template("index.html").render(
        plan=plan,
        overview=_overview(plan, gathered),
        synthetic=[name for name, protocol in gathered.items() if protocol.synthetic],
        protocols=[
            protocol_view(plan, protocol, gathered, folder) for protocol in gathered.values()
        ],
        papers=papers,
        pictures=_pictures(papers, folder),
        encoders=encoders_table(plan),
        recognition=recognition,
        recognition_stem=names.recognition_table(),
        skipped=skipped_by_reason(plan.skipped),
        problems=_problems(plan, results),
    )
    write_text(folder / "index.html", html)


def _pictures(papers: Papers, folder: Path) -> dict[str, Picture]:
    return {
        name: picture(folder, names.paper_figure(name), figure.table.caption)
        for name, figure in papers.figures.items()
    }


def _overview(plan: ReportPlan, gathered: Mapping[str, ProtocolResults]) -> str:
    systems = {name for protocol in gathered.values() for name in protocol.systems}
    runs = sum(
        len(system.metrics.folds)
        for protocol in gathered.values()
        for system in protocol.systems.values()
    )
    skipped = sum(len(skip.systems) for skip in plan.skipped)
    text = (
        f"{count(len(systems), 'system')} under {count(len(gathered), 'protocol')}: "
        f"{count(runs, 'run')}, each of one fold with one seed."
    )
    return f"{text} {count(skipped, 'system')} could not be run." if skipped else text


def _problems(plan: ReportPlan, results: Path) -> list[CorpusProblems]:
    found = []
    cards = [plan.protocols[protocol] for protocol in plan.run_protocols()]
    used = {name for card in cards for name in (*card.corpora, *card.transfer)}
    for corpus in plan.corpora:
        path = results / "corpora" / corpus / "problems.csv"
        if corpus not in used or not path.exists():
            continue
        table = read_problems(path)
        if len(table):
            rows = table.head(_SHOWN_PROBLEMS).to_dict("records")
            shown = [{str(key): str(value) for key, value in row.items()} for row in rows]
            found.append(CorpusProblems(corpus, len(table), shown))
    return found
