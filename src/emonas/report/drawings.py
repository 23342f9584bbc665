"""Draws every figure of the report."""

import ctypes
import os
import signal
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import chain
from multiprocessing import get_context
from pathlib import Path

from emonas.report import names
from emonas.report.cost import cost_name, cost_points
from emonas.report.figures.cells import draw_genotype
from emonas.report.figures.charts import draw_confusion, draw_overview, draw_systems
from emonas.report.figures.cost import draw_cost
from emonas.report.figures.curves import alpha_operations, draw_alphas, draw_curves
from emonas.report.figures.lines import draw_lines
from emonas.report.gather import ProtocolResults, SystemResults
from emonas.report.lines import Panel
from emonas.report.options import FigureOptions
from emonas.report.overview import Standing
from emonas.report.summary import chance

Drawing = Callable[[], None]

SET_DEATH_SIGNAL = 1


def draw_figures(
    protocols: Iterable[ProtocolResults],
    folder: Path,
    workers: int = 1,
    stood: Sequence[Standing] = (),
) -> None:
    """Draw the figures of all protocols into `folder`, so many at a time, and how their best
    systems stood where there are any.
    """
    drawings = list(chain.from_iterable(_drawings(protocol, folder) for protocol in protocols))
    drawings += [partial(draw_overview, stood, folder / names.overview_figure())] if stood else []
    if workers == 1 or sys.platform != "linux":
        for draw in drawings:
            draw()
        return
    # Other systems' processes would begin by running the workflow's script again.
    with ProcessPoolExecutor(
        workers, get_context("fork"), initializer=_end_with, initargs=(os.getpid(),)
    ) as pool:
        list(pool.map(_call, drawings))


def _end_with(parent: int) -> None:
    """Let this process be killed when its parent ends: by itself it would wait for ever."""
    ctypes.CDLL(None).prctl(SET_DEATH_SIGNAL, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def _call(draw: Drawing) -> None:
    draw()


def _drawings(protocol: ProtocolResults, folder: Path) -> Iterator[Drawing]:
    metrics = {name: system.metrics for name, system in protocol.emotional.items()}
    remark = _remark(protocol)
    if metrics:
        level, _ = chance(next(iter(metrics.values())).confusion)
        path = folder / names.systems_figure(protocol.name)
        yield partial(draw_systems, metrics, level, path, remark)
        path = folder / names.cost_figure(protocol.name)
        label = f"{cost_name(protocol)}, on a logarithmic scale"
        yield partial(draw_cost, cost_points(protocol), label, path, remark)
    for name, found in metrics.items():
        confusion = folder / names.confusion_figure(protocol.name, name)
        yield partial(draw_confusion, found, confusion, remark)
    for system in protocol.systems.values():
        yield from _search_drawings(protocol.name, system, folder)


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


def _search_drawings(protocol: str, system: SystemResults, folder: Path) -> Iterator[Drawing]:
    name = system.name
    path = folder / names.curves_figure(protocol, name)
    yield partial(draw_curves, system.search_histories, system.histories, path)
    for run, history in system.drawn_searches:
        if alpha_operations(history):
            yield partial(draw_alphas, history, folder / names.alphas_figure(protocol, name, run))
    for run, found in system.drawn_genotypes:
        yield partial(
            draw_genotype, found.genotype, folder / names.cells_figure(protocol, name, run)
        )
