"""What every search method takes and gives."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pydantic import Field

from emonas.options import Options
from emonas.storage.cost import EpochCost
from emonas.storage.genotype import AnyGenotype
from emonas.systems.options import TrainedOptions

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from emonas.learning.resume import ResumePoint
    from emonas.systems.data import FoldData


@dataclass(frozen=True)
class SearchTask:
    """A system to find a genotype for."""

    system: TrainedOptions
    seed: int
    device: torch.device
    resume: ResumePoint
    name: str


@dataclass(frozen=True)
class SearchProblem(SearchTask):
    """The same, and what of one fold may be seen; a method may be told to stay within a `budget` of
    multiply-accumulates.
    """

    data: FoldData
    budget: int | None = None


@dataclass
class SearchOutcome:
    """A genotype, the weights of the network that was searched (empty where none was trained), a
    row an epoch of history and cost.
    """

    genotype: AnyGenotype
    weights: dict[str, Tensor] = field(default_factory=dict)
    history: list[dict[str, Any]] = field(default_factory=list)
    costs: list[EpochCost] = field(default_factory=list)


class SearchOptions(Options):
    """The base of a search method's options."""

    method: str = Field(description="the search method")
    retrain: bool = Field(
        True, description="train what was found anew; false tests the searched network itself"
    )
    shared: bool = Field(
        False,
        description="one search, on the first fold, for all folds (the report marks it: other "
        "folds' test utterances were then searched on)",
    )
