"""`network: linear`: a linear classifier on pooled features, solved at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Literal, NoReturn, TypeAlias

import numpy as np
from pydantic import Field, model_validator

from emonas.storage.genotype import AnyGenotype
from emonas.systems.discriminant import ShrunkDiscriminant
from emonas.systems.options import REFIT, TOGETHER, SystemOptions
from emonas.systems.shapes import NetworkShape

if TYPE_CHECKING:
    import numpy.typing as npt
    from sklearn.linear_model import LogisticRegression
    from torch import Tensor

    from emonas.learning.batches import Examples
    from emonas.learning.loop import Outcome
    from emonas.networks.linear import PooledLinear

    Model: TypeAlias = LogisticRegression | ShrunkDiscriminant


class Options(SystemOptions):
    """Mean and deviation over frames, standardised on the training part, one linear classifier.

    An input whose utterances all have one frame is taken as it is.
    """

    network: Literal["linear"] = Field("linear", description="the kind of system")
    normalise: Literal["none"] = Field(
        "none", description="pooled features are standardised in the place of frames"
    )
    classifier: Literal["logistic", "lda"] = Field(
        "logistic",
        description="logistic regression, or linear discriminant analysis with a shrunk "
        "covariance, which needs no choice",
    )
    strengths: tuple[float, ...] = Field(
        (0.001, 0.01, 0.1, 1.0),
        min_length=1,
        description="logistic: inverse strengths of regularisation (C); the one with the best "
        "validation UA is taken, of equals the first",
    )
    shrinkage: float | None = Field(
        None,
        ge=0,
        le=1,
        description="lda: share of the mean variance in every class's covariance; null estimates "
        "it (Ledoit and Wolf)",
    )
    class_weights: bool = Field(
        True, description="weigh classes by their inverse counts; lda: all classes equally likely"
    )
    refit: bool = Field(False, description=REFIT)

    @property
    def chooses(self) -> bool:
        """A strength; with `refit` what it is chosen by is learnt from as well."""
        return self.classifier == "logistic" and len(self.strengths) > 1 and not self.refit

    @model_validator(mode="after")
    def _shrinks_lda_only(self) -> Options:
        if self.shrinkage is not None and self.classifier != "lda":
            raise ValueError("shrinkage is for classifier: lda; logistic regression has strengths")
        return self


def build(options: Options, genotype: AnyGenotype | None, shape: NetworkShape) -> PooledLinear:
    """A linear map that `solve` sizes and fills."""
    from emonas.networks.linear import PooledLinear

    return PooledLinear(shape.widths, shape.classes)


def solve(
    network: PooledLinear,
    options: Options,
    train: Examples,
    validation: Examples | None,
    heard: Sequence[str] = (),
    scaled: Examples | None = None,
) -> Outcome:
    """Fill the network with the best solution; a row of the history is a candidate.

    The history's figures are those of solutions on the training part, also with `refit`. `heard`
    are the names of the streams, for messages; `scaled` are the examples to standardise by, where
    these are not those that are learnt from.

    Raises:
        DivergedError: the features hold numbers that are none, or too large.
    """
    from emonas.learning.loop import Outcome

    inputs, outcome = _standardised(network, train, heard, scaled), Outcome()
    held = None if validation is None else _embedded(network, validation, heard)
    candidates, best = list(_candidates(options)), -np.inf
    for number, (facts, model) in enumerate(candidates, 1):
        model.fit(inputs, train.labels)
        row = {"epoch": float(number), **facts, **_figures(model, inputs, train.labels, "train")}
        if validation is not None and held is not None:
            row |= _figures(model, held, validation.labels, "validation")
        outcome.history.append(row)
        reached = row.get("validation_ua", -facts.get("strength", 0.0))
        if reached > best:
            best, outcome.best_epoch = reached, number
    _, chosen = candidates[outcome.best_epoch - 1]
    if options.refit and validation is not None:
        both = _joined(train, validation)
        chosen.fit(_standardised(network, both, heard, scaled), both.labels)
    _fill(network, chosen.coef_, chosen.intercept_)
    return outcome


def _candidates(options: Options) -> Iterator[tuple[dict[str, float], Model]]:
    """What is tried, with its facts for the history."""
    from sklearn.linear_model import LogisticRegression

    if options.classifier == "lda":
        yield {}, ShrunkDiscriminant(options.shrinkage, balanced=options.class_weights)
        return
    weights = "balanced" if options.class_weights else None
    for strength in options.strengths:
        model = LogisticRegression(C=strength, class_weight=weights, max_iter=5000)
        yield {"strength": strength}, model


def _joined(one: Examples, other: Examples) -> Examples:
    from emonas.learning.batches import Examples

    streams = tuple([*a, *b] for a, b in zip(one.streams, other.streams, strict=True))
    labels = np.concatenate([one.labels, other.labels])
    return Examples(streams, labels, names=[*one.names, *other.names])


def _standardised(
    network: PooledLinear, examples: Examples, heard: Sequence[str], scaled: Examples | None
) -> npt.NDArray[np.float64]:
    """Size the network for the examples and standardise by them, or by others where given."""
    import torch

    network.set_vectors([all(len(frames) == 1 for frames in stream) for stream in examples.streams])
    pooled = _pooled(network, examples if scaled is None else scaled)
    scale = pooled.std(dim=0, unbiased=False)
    network.centre.copy_(pooled.mean(dim=0))
    network.scale.copy_(torch.where(scale < 1e-6, torch.ones_like(scale), scale))
    return _embedded(network, examples, heard)


def _embedded(
    network: PooledLinear, examples: Examples, heard: Sequence[str]
) -> npt.NDArray[np.float64]:
    """In double precision: in single, the solver may stop long before the optimum."""
    pooled = _pooled(network, examples)
    vectors = ((pooled - network.centre) / network.scale).double().numpy()
    if not np.isfinite(vectors).all():
        _refuse(examples, pooled.double().numpy(), heard)
    return vectors


def _refuse(examples: Examples, pooled: npt.NDArray[np.float64], heard: Sequence[str]) -> NoReturn:
    """Say in which utterance and feature the numbers are that are none, or the largest."""
    from emonas.learning.loop import DivergedError

    # Of numbers that are none, argmax takes the first.
    row = int(np.argmax(np.abs(pooled).max(axis=1)))
    largest = [np.abs(stream[row]).max(initial=0) for stream in examples.streams]
    stream = int(np.argmax(largest))
    name = examples.names[row] if examples.names else f"utterance {row}"
    feature = heard[stream] if heard else f"stream {stream}"
    what = f"its solution: the pooled frames of {name} in {feature} are none or too large"
    raise DivergedError(1, what, at_once=True)


def _pooled(network: PooledLinear, examples: Examples) -> Tensor:
    """All utterances pooled, a few at a time, because a whole part may not fit into memory."""
    import torch

    from emonas.learning.batches import Batches

    batches = Batches(examples, TOGETHER).epoch()
    return torch.cat([network.pool(*batch.streams) for batch in batches])


def _figures(
    model: Model,
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
