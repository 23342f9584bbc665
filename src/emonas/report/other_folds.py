"""The figures of what was searched in other folds than the first, of which the page links each."""

from collections.abc import Iterable

from emonas.report.figures.curves import alpha_operations
from emonas.report.gather import ProtocolResults, SystemResults
from emonas.report.places import FoldFigure


def fold_figures(protocols: Iterable[ProtocolResults]) -> list[FoldFigure]:
    """All that a report draws."""
    return [
        figure
        for protocol in protocols
        for system in protocol.systems.values()
        for others in (other_cells, other_alphas)
        for figure in others(protocol.name, system)
    ]


def other_cells(protocol: str, system: SystemResults) -> list[FoldFigure]:
    """What the searches of the first seed found in each further fold."""
    return [
        FoldFigure(protocol, system.name, "cells", fold) for fold, _ in system.drawn_genotypes[1:]
    ]


def other_alphas(protocol: str, system: SystemResults) -> list[FoldFigure]:
    """Likewise the weights of operations by epoch, where a search has such."""
    return [
        FoldFigure(protocol, system.name, "alphas", fold)
        for fold, history in system.drawn_searches[1:]
        if alpha_operations(history)
    ]
