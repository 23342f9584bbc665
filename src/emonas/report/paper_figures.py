"""The papers' figures of every kind: drawn, and their numbers written beside."""

from dataclasses import dataclass
from pathlib import Path

from emonas.report import names
from emonas.report.drawings import draw_paper_figure
from emonas.report.embeddings import POINT_COLUMNS, clouds, embeddings_table, point_rows
from emonas.report.embeddings_options import EmbeddingsOptions
from emonas.report.figure_kinds import AnyFigureOptions
from emonas.report.figures.embeddings import draw_embeddings
from emonas.report.figures.gates import draw_gates
from emonas.report.gates import gate_bars, gates_table
from emonas.report.gates_options import GatesOptions
from emonas.report.lines import figure_panels, figure_table
from emonas.report.options import FigureOptions
from emonas.report.own import OwnFigures
from emonas.report.tables import Table, score_text, write_tables
from emonas.storage.tables import write_rows

_SYNTHETIC = "synthetic speech"


@dataclass(frozen=True)
class PaperFigure:
    """A paper's figure as the page shows it: the table of its numbers and where that stands, what
    is said below the picture, and the file of its points where it has one.
    """

    table: Table
    stem: str
    caption: str
    points: str = ""


def write_paper_figure(
    own: OwnFigures, name: str, options: AnyFigureOptions, results: Path, folder: Path
) -> PaperFigure:
    """Draw a figure into `folder`, and write its tables there.

    Raises:
        EmonasError: a result is missing or damaged, or a name of the settings is not known.
    """
    picture = folder / names.paper_figure(name)
    if isinstance(options, EmbeddingsOptions):
        figure = _embeddings(own, name, options, results, folder)
    elif isinstance(options, GatesOptions):
        figure = _gates(own, name, options, picture)
    else:
        figure = _lines(own, name, options, picture)
    write_tables(folder / figure.stem, figure.table)
    return figure


def _lines(own: OwnFigures, name: str, options: FigureOptions, picture: Path) -> PaperFigure:
    draw_paper_figure(figure_panels(own, name, options), options, picture)
    return PaperFigure(
        figure_table(own, name, options),
        names.figure_table(name, options),
        "Points that were not run are left out of the figure and named below it.",
    )


def _gates(own: OwnFigures, name: str, options: GatesOptions, picture: Path) -> PaperFigure:
    bars = gate_bars(own, options)
    synthetic = any(bar.own.synthetic for bar in (*bars.alone, *bars.gates))
    draw_gates(bars, options.system, picture, _SYNTHETIC if synthetic else "")
    return PaperFigure(
        gates_table(own, name, options, bars),
        names.figure_table(name, options),
        f"The UA of a system that hears one feature alone (a), and the mean weight that the gates "
        f"of {options.system} give the feature (b), by domain. Bars that were not run are left out "
        "and named below the figure.",
    )


def _embeddings(
    own: OwnFigures, name: str, options: EmbeddingsOptions, results: Path, folder: Path
) -> PaperFigure:
    panels = clouds(own, name, options, results)
    shown = [options.panels[cloud.name] for cloud in panels if not cloud.missing]
    synthetic = any(own.gathered[panel.protocol].synthetic for panel in shown)
    picture = folder / names.paper_figure(name)
    draw_embeddings(panels, picture, _SYNTHETIC if synthetic else "")
    points = names.figure_points(name)
    write_rows(folder / points, point_rows(panels), POINT_COLUMNS)
    scores = [
        f"{cloud.name} {score_text(cloud.silhouette)}"
        for cloud in panels
        if cloud.silhouette is not None
    ]
    said = f" Silhouette of the classes: {', '.join(scores)}." if scores else ""
    return PaperFigure(
        embeddings_table(own, name, options, panels),
        names.figure_table(name, options),
        f"t-SNE of the embeddings, a point an utterance.{said}",
        points,
    )
