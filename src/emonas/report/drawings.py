"""Draws every figure of the report."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from emonas.report import names
from emonas.report.figures.cells import draw_genotype
from emonas.report.figures.charts import draw_confusion, draw_systems
from emonas.report.figures.curves import alpha_operations, draw_alphas, draw_curves
from emonas.report.figures.lines import draw_lines
from emonas.report.gather import ProtocolResults, SystemResults
from emonas.report.lines import Panel
from emonas.report.options import FigureOptions
from emonas.report.summary import chance


def draw_figures(protocols: Iterable[ProtocolResults], folder: Path) -> None:
    """Draw the figures of all protocols into `folder`."""
    for protocol in protocols:
        metrics = {name: system.metrics for name, system in protocol.emotional.items()}
        remark = _remark(protocol)
        if metrics:
            level, _ = chance(next(iter(metrics.values())).confusion)
            draw_systems(metrics, level, folder / names.systems_figure(protocol.name), remark)
        for name, found in metrics.items():
            confusion = folder / names.confusion_figure(protocol.name, name)
            draw_confusion(found, confusion, remark)
        for system in protocol.systems.values():
            _draw_search(protocol.name, system, folder)


def draw_paper_figure(panels: Sequence[Panel], options: FigureOptions, path: Path) -> None:
    """Draw a paper's figure with own figures."""
    metrics = dict.fromkeys(line.metric.upper() for line in options.lines.values())
    drawn = [
        own
        for panel in panels
        for line in panel.lines
        for own in (*line.points.values(), *line.baselines.values())
    ]
    remark = "synthetic speech" if any(own.synthetic for own in drawn) else ""
    draw_lines(panels, options.axis, " or ".join(metrics), path, remark)


def _remark(protocol: ProtocolResults) -> str:
    remarks = ["synthetic speech"] if protocol.synthetic else []
    remarks += ["speaker-dependent"] if protocol.speaker_dependent else []
    return ", ".join(remarks)


def _draw_search(protocol: str, system: SystemResults, folder: Path) -> None:
    name = system.name
    draw_curves(
        system.search_histories, system.histories, folder / names.curves_figure(protocol, name)
    )
    for history in system.search_histories[:1]:
        if alpha_operations(history):
            draw_alphas(history, folder / names.alphas_figure(protocol, name))
    for number, found in enumerate(system.genotypes):
        # The first is the one that the page shows; of the first seed, every fold is drawn.
        if found.seed == system.genotypes[0].seed:
            run = found.fold if number else ""
            draw_genotype(found.genotype, folder / names.cells_figure(protocol, name, run))
