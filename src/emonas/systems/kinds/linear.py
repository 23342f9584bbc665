"""`network: linear`: logistic regression on pooled features, solved by scikit-learn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
from pydantic import Field

from emonas.systems.building import AnyGenotype
from emonas.systems.options import SystemOptions

if TYPE_CHECKING:
    import numpy.typing as npt
    from sklearn.linear_model import LogisticRegression

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
    best = -np.inf
    for number, strength in enumerate(options.strengths, 1):
        weights = "balanced" if options.class_weights else None
        model = LogisticRegression(C=strength, class_weight=weights, max_iter=5000)
        model.fit(inputs, train.labels)
        row = {"epoch": float(number), "strength": strength}
        row |= _figures(network, model, train, "train")
        if validation is not None:
            row |= _figures(network, model, validation, "validation")
        outcome.history.append(row)
        reached = row.get("validation_ua", -strength)
        if reached > best:
            best, outcome.best_epoch = reached, number
            _fill(network, model.coef_, model.intercept_)
    return outcome


def _standardised(network: PooledLinear, examples: Examples) -> npt.NDArray[np.float32]:
    import torch

    pooled = network.pool(*examples.batch().streams)
    scale = pooled.std(dim=0, unbiased=False)
    network.centre.copy_(pooled.mean(dim=0))
    network.scale.copy_(torch.where(scale < 1e-6, torch.ones_like(scale), scale))
    return _embedded(network, examples)


def _embedded(network: PooledLinear, examples: Examples) -> npt.NDArray[np.float32]:
    pooled = network.pool(*examples.batch().streams)
    return ((pooled - network.centre) / network.scale).numpy()


def _figures(
    network: PooledLinear, model: LogisticRegression, examples: Examples, part: str
) -> dict[str, float]:
    from sklearn.metrics import accuracy_score, log_loss, recall_score

    inputs, labels = _embedded(network, examples), examples.labels
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
