"""The predictions whose embeddings the papers' figures show."""

from collections.abc import Sequence

from emonas.errors import EmonasError
from emonas.report.embeddings_options import EmbeddingPanelOptions, EmbeddingsOptions
from emonas.report.plan import ReportPlan
from emonas.report.words import listed


def embedded_files(plan: ReportPlan, protocol: str, folds: Sequence[str]) -> list[str]:
    """The predictions under a protocol that figures show, as paths below the results.

    Raises:
        EmonasError: a panel names a fold that the protocol does not have.
    """
    systems = plan.run_systems(protocol)
    files = [
        embedded_file(plan, panel, embedded_fold(f"figures.{name}.panels.{title}", panel, folds))
        for name, options in plan.figures.items()
        if isinstance(options, EmbeddingsOptions)
        for title, panel in options.panels.items()
        if panel.protocol == protocol and panel.system in systems
    ]
    return list(dict.fromkeys(files))


def embedded_fold(path: str, panel: EmbeddingPanelOptions, folds: Sequence[str]) -> str:
    """The fold of a panel, whose key in the settings is `path`.

    Raises:
        EmonasError: the protocol does not have it.
    """
    if panel.fold is not None and panel.fold not in folds:
        raise EmonasError(
            f"{path}.fold: protocol {panel.protocol} has no fold {panel.fold}; there are "
            f"{listed(folds)}"
        )
    return panel.fold or folds[0]


def embedded_file(plan: ReportPlan, panel: EmbeddingPanelOptions, fold: str) -> str:
    """The predictions that a panel shows, as a path below the results."""
    stage = "fuse" if plan.systems[panel.system].kind == "fusion" else "train"
    return f"{stage}/{panel.protocol}/{panel.system}/seed0/{fold}/predictions.h5"
