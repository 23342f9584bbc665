"""`index.html`: one page that holds everything it shows."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from emonas.report import names
from emonas.report.gather import ProtocolResults
from emonas.report.paper_figures import PaperFigure
from emonas.report.pictures import Picture, picture
from emonas.report.plan import ReportPlan
from emonas.report.summary import INTERVAL_NOTE
from emonas.report.system_view import system_anchor
from emonas.report.tables import Table, show
from emonas.report.views import protocol_anchor, protocol_view
from emonas.report.words import count, listed
from emonas.storage.atomic import write_text

_SHOWN_PROBLEMS = 200


@dataclass(frozen=True)
class Papers:
    """The tables and the figures of papers, by name."""

    tables: Mapping[str, Table]
    figures: Mapping[str, PaperFigure]

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.tables) + len(self.figures)

    @property
    def kinds(self) -> str:
        """How many there are of each kind."""
        numbers = {"table": len(self.tables), "figure": len(self.figures)}
        return listed(count(number, kind) for kind, number in numbers.items() if number)

    @property
    def heading(self) -> str:
        """What they are together; empty where there are none."""
        kinds = [kind for kind in ("tables", "figures") if getattr(self, kind)]
        return f"{' and '.join(kinds)} of the papers".capitalize() if kinds else ""


def write_page(
    plan: ReportPlan,
    gathered: Mapping[str, ProtocolResults],
    papers: Papers,
    common: Mapping[str, Table],
    folder: Path,
) -> None:
    """Write `index.html` into `folder`, whose figures are drawn already; `common` are the tables of
    the whole report by their stems.
    """
    problems = common[names.problems_table()]
    environment = Environment(
        loader=PackageLoader("emonas.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals |= {
        "interval_note": INTERVAL_NOTE,
        "show": show,
        "count": count,
        "system_anchor": system_anchor,
        "paper_stem": names.paper_table,
    }
    html = environment.get_template("index.html").render(
        plan=plan,
        lead=_lead(plan, gathered),
        overview=common[names.overview_table()],
        overview_stem=names.overview_table(),
        overview_picture=_overview_picture(gathered, folder),
        anchors={name: protocol_anchor(name) for name in gathered},
        systems=sum(len(protocol.systems) for protocol in gathered.values()),
        synthetic=[name for name, protocol in gathered.items() if protocol.synthetic],
        protocols=[
            protocol_view(plan, protocol, gathered, folder) for protocol in gathered.values()
        ],
        papers=papers,
        pictures=_pictures(papers, folder),
        encoders=common.get(names.encoders_table()),
        encoders_stem=names.encoders_table(),
        recognition=common.get(names.recognition_table()),
        recognition_stem=names.recognition_table(),
        left_out=common[names.left_out_table()],
        left_out_stem=names.left_out_table(),
        problems=problems,
        problems_stem=names.problems_table(),
        shown_problems=replace(problems, rows=problems.rows[:_SHOWN_PROBLEMS]),
    )
    write_text(folder / "index.html", html)


def _pictures(papers: Papers, folder: Path) -> dict[str, Picture]:
    return {
        name: picture(
            folder,
            names.paper_figure(name),
            figure.table.caption,
            figure.points or f"{figure.stem}.csv",
        )
        for name, figure in papers.figures.items()
    }


def _overview_picture(gathered: Mapping[str, ProtocolResults], folder: Path) -> Picture | None:
    if not any(protocol.emotional for protocol in gathered.values()):
        return None
    return picture(folder, names.overview_figure(), "The best system of every protocol by UA")


def _lead(plan: ReportPlan, gathered: Mapping[str, ProtocolResults]) -> str:
    systems = {name for protocol in gathered.values() for name in protocol.systems}
    runs = sum(
        len(system.metrics.folds)
        for protocol in gathered.values()
        for system in protocol.systems.values()
    )
    skipped = sum(len(skip.systems) for skip in plan.skipped)
    whole = skipped + sum(len(protocol.systems) for protocol in gathered.values())
    text = (
        f"{count(len(systems), 'system')} under {count(len(gathered), 'protocol')}: "
        f"{count(runs, 'run')}, each of one fold with one seed."
    )
    if not skipped:
        return text
    return f"{text} Of {whole} systems by protocol, {skipped} were not run (see what was left out)."
