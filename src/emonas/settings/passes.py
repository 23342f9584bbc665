"""How often a search or a training goes through its training part, as far as the options tell."""

from typing import Any

from emonas.kinds import kind_module
from emonas.settings.runnable import Runnable
from emonas.systems.options import TrainedOptions


def is_solved(options: Any) -> bool:
    """Whether a system is solved at once, and not trained by epochs."""
    return not isinstance(options, TrainedOptions)


def search_passes(plan: Runnable, system: str) -> int | None:
    """Epochs of all candidates of a system's own search; None where it is not known how many."""
    options = plan.settings.systems[system]
    module = kind_module("method", options.search.method)
    if not hasattr(module, "trained_epochs"):
        return int(getattr(options.search, "epochs", 0))
    epochs: int | None = module.trained_epochs(options.search, options)
    return epochs


def training_passes(plan: Runnable, system: str) -> int:
    """Epochs of a training, those of the second one too where it is trained twice."""
    if plan.tests_searched(system):
        return 0
    options = plan.settings.systems[system]
    refit: bool = getattr(options, "refit", False)
    if is_solved(options):
        return 2 if refit else 1
    passes: int = options.training.epochs
    # For the choice of the epoch, and with the validation part.
    chosen = refit and options.training.select != "last"
    return passes * (2 if chosen else 1)
