"""`network: linear`: logistic regression on pooled features, solved by scikit-learn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
from pydantic import Field

from emonas.systems.building import AnyGenotype
from emonas.systems.options import TOGETHER, SystemOptions

if TYPE_CHECKING:
    import numpy.typing as npt
    from sklearn.linear_model import LogisticRegression
    from torch import Tensor

    from emonas.learning.batches import Examples
    from emonas.learning.loop import Outcome
    from emonas.networks.linear import PooledLinear


class Options(SystemOptions):
    """Mean and deviation over frames, standardised on the training part, logistic regression."""

    network: Literal["linear"] = Field("linear", description="the kind of system")
    normalise: Literal["none"] = Field(
        "none", description="pooled features are standardised in the place of frames"
    )
    vectors: bool = Field(
        False, description="the inputs have one frame an utterance, and are taken as they are"
    )
    strengths: tuple[float, ...] = Field(
        (0.001, 0.01, 0.1, 1.0),
        min_length=1,
        description="inverse strengths of regularisation (C); the one with the best validation "
        "UA is taken, of equals the first",
    )
    class_weights: bool = Field(True, description="weigh classes by their inverse counts")


def build(
    options: Options, genotype: AnyGenotype | None, widths: tuple[int, ...], classes: int
) -> PooledLinear:
    """A linear map that `solve` fills."""
    from emonas.networks.linear import PooledLinear

    return PooledLinear(widths, tuple(options.vectors for _ in widths), classes)


def solve(
    network: PooledLinear, options: Options, train: Examples, validation: Examples | None
) -> Outcome:
    """Fill the network with the solution for the best C; a row of the history is a C."""
    from sklearn.linear_model import LogisticRegression

    from emonas.learning.loop import Outcome

    inputs, outcome = _standardised(network, train), Outcome()
    held = None if validation is None else _embedded(network, validation)
    best = -np.inf
    for number, strength in enumerate(options.strengths, 1):
        weights = "balanced" if options.class_weights else None
        model = LogisticRegression(C=strength, class_weight=weights, max_iter=5000)
        model.fit(inputs, train.labels)
        row = {"epoch": float(number), "strength": strength}
        row |= _figures(model, inputs, train.labels, "train")
        if validation is not None and held is not None:
            row |= _figures(model, held, validation.labels, "validation")
        outcome.history.append(row)
        reached = row.get("validation_ua", -strength)
        if reached > best:
            best, outcome.best_epoch = reached, number
            _fill(network, model.coef_, model.intercept_)
    return outcome


def _standardised(network: PooledLinear, examples: Examples) -> npt.NDArray[np.float64]:
    import torch

    pooled = _pooled(network, examples)
    scale = pooled.std(dim=0, unbiased=False)
    network.centre.copy_(pooled.mean(dim=0))
    network.scale.copy_(torch.where(scale < 1e-6, torch.ones_like(scale), scale))
    return _embedded(network, examples)


def _embedded(network: PooledLinear, examples: Examples) -> npt.NDArray[np.float64]:
    """In double precision: in single, the solver may stop long before the optimum."""
    return ((_pooled(network, examples) - network.centre) / network.scale).double().numpy()


def _pooled(network: PooledLinear, examples: Examples) -> Tensor:
    """All utterances pooled, a few at a time, because a whole part may not fit into memory."""
    import torch

    from emonas.learning.batches import Batches

    batches = Batches(examples, TOGETHER).epoch()
    return torch.cat([network.pool(*batch.streams) for batch in batches])


def _figures(
    model: LogisticRegression,
    inputs: npt.NDArray[np.float64],
    labels: npt.NDArray[np.int64],
    part: str,
) -> dict[str, float]:
    from sklearn.metrics import accuracy_score, log_loss, recall_score

    predicted = model.predict(inputs)
    present = np.unique(labels)
    return {
        f"{part}_loss": float(log_loss(labels, model.predict_proba(inputs), labels=model.classes_)),
        f"{part}_ua": float(recall_score(labels, predicted, labels=present, average="macro")),
        f"{part}_wa": float(accuracy_score(labels, predicted)),
    }


def _fill(
    network: PooledLinear,
    weights: npt.NDArray[np.float64],
    intercept: npt.NDArray[np.float64],
) -> None:
    """Two classes have one row in scikit-learn: its score is the difference of the logits."""
    import torch

    if len(weights) == 1:
        weights, intercept = (
            np.stack([-weights[0], weights[0]]) / 2,
            np.r_[-intercept, intercept] / 2,
        )
    with torch.no_grad():
        network.classifier.weight.copy_(torch.from_numpy(weights))
        network.classifier.bias.copy_(torch.from_numpy(intercept))
