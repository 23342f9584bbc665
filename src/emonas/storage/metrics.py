"""`results/evaluate/{protocol}/{system}/metrics.json`: fractions, not percent."""

import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from emonas.errors import EmonasError, make_again
from emonas.storage.atomic import write_text
from emonas.storage.problems import first_problem


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Figure(_Model):
    """One metric: `mean` and `std` over seeds, `folds_mean` and `folds_std` over folds.

    `interval` are the bounds of the mean's 95% interval by bootstrap over the tested speakers; none
    where they are unknown or fewer than five.
    """

    mean: float
    std: float
    folds_mean: float
    folds_std: float
    interval: tuple[float, float] | None = None


class FoldScore(_Model):
    """The scores of one fold and seed on its test part; `best_epoch` was chosen on validation."""

    fold: str
    seed: int
    ua: float
    wa: float
    utterances: int
    classes: int


class Parameters(_Model):
    """Weights of the search network (none for a system without a search) and of the trained one."""

    search: int | None = None
    derived: int


class Transferred(_Model):
    """What the models of all folds and seeds reach on the whole of another corpus.

    `ua` and `wa` are averaged over the models; `confusion` adds up their counts (true, predicted)
    in the order of `labels`.
    """

    ua: Figure
    wa: Figure
    folds: list[FoldScore]
    confusion: list[list[int]]
    labels: list[str]


class OfDomain(_Model):
    """What a system reaches on the test utterances of one domain, such as a language.

    `labels` are the classes of that domain and those that were predicted there; `gates` is the mean
    weight that a gating network gave each feature on them, over all folds and seeds.
    """

    ua: Figure
    wa: Figure
    folds: list[FoldScore]
    confusion: list[list[int]]
    labels: list[str]
    gates: dict[str, float] = Field(default_factory=dict)


class Metrics(_Model):
    """What a system reached under a protocol.

    `ua` is the mean of class recalls, `wa` plain accuracy; `pooled` says that `mean` is over a
    seed's pooled test predictions; `confusion` counts (true, predicted) over all seeds and
    folds; `transfer` is by the other corpus, `domains` by domain where the protocol has any.
    """

    protocol: str
    system: str
    seeds: int
    pooled: bool
    ua: Figure
    wa: Figure
    folds: list[FoldScore]
    confusion: list[list[int]]
    labels: list[str]
    parameters: Parameters
    macs: int | None = None
    tasks: dict[str, Any] = Field(default_factory=dict)
    domains: dict[str, OfDomain] = Field(default_factory=dict)
    transfer: dict[str, Transferred] = Field(default_factory=dict)


def write_metrics(path: Path, metrics: Metrics) -> None:
    """Write metrics as JSON, whole or not at all."""
    write_text(path, metrics.model_dump_json(indent=1) + "\n")


def read_metrics(path: Path) -> Metrics:
    """Read metrics.

    Raises:
        EmonasError: the file is missing or does not hold metrics.
    """
    try:
        return Metrics.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise EmonasError(
            f"{path}: no metrics ({first_problem(error)}); {make_again(path)}"
        ) from error
