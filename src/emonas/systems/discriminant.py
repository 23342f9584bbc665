"""Linear discriminant analysis with a shrunk covariance, for far more features than utterances.

It is scikit-learn's `LinearDiscriminantAnalysis(solver="lsqr", shrinkage=...)`. That solves in the
space of features, which takes its cube: some twenty seconds for the pooled blocks of the smallest
Whisper, and hours for those of a large encoder. The covariance is a diagonal and a few rows, one an
utterance, so the same solution is found in the space of utterances.
"""

from __future__ import annotations

from typing import Self

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int64]


class ShrunkDiscriminant:
    """The attributes are scikit-learn's, with a row a class also where there are two.

    Args:
        shrinkage: share of the mean variance in the covariance of every class, from 0 to 1; None
            estimates it (Ledoit and Wolf) on the standardised features of the class.
        balanced: whether all classes are equally likely; else they are as likely as they are
            frequent.
    """

    classes_: Labels
    coef_: Floats
    intercept_: Floats

    def __init__(self, shrinkage: float | None = None, *, balanced: bool = False) -> None:
        self._shrinkage = shrinkage
        self._balanced = balanced

    def fit(self, inputs: Floats, labels: Labels) -> Self:
        """Solve for utterances (utterances, features) with labels (utterances)."""
        self.classes_, counts = np.unique(labels, return_counts=True)
        priors = counts / len(labels)
        if self._balanced:
            priors = np.full(len(counts), 1 / len(counts))
        means, rows, diagonal = [], [], np.zeros(inputs.shape[1])
        for label, prior in zip(self.classes_, priors, strict=True):
            own = inputs[labels == label]
            means.append(own.mean(axis=0))
            share, target = self._shrunk(own)
            rows.append(np.sqrt(prior * (1 - share) / len(own)) * (own - means[-1]))
            diagonal += prior * share * target
        centres = np.stack(means)
        self.coef_ = _solve(diagonal, np.concatenate(rows), centres.T).T
        self.intercept_ = np.log(priors) - 0.5 * (centres * self.coef_).sum(axis=1)
        return self

    def predict_proba(self, inputs: Floats) -> Floats:
        """The probability of each class, (utterances, classes)."""
        from scipy.special import softmax

        found: Floats = softmax(inputs @ self.coef_.T + self.intercept_, axis=1)
        return found

    def predict(self, inputs: Floats) -> Labels:
        """The likeliest class of each utterance, (utterances)."""
        best = (inputs @ self.coef_.T + self.intercept_).argmax(axis=1)
        return np.asarray(self.classes_[best])

    def _shrunk(self, own: Floats) -> tuple[float, Floats]:
        """The share of shrinkage, and the diagonal (features) that a class is shrunk towards."""
        if self._shrinkage is not None:
            return self._shrinkage, np.full(own.shape[1], own.var(axis=0).mean())
        from sklearn.preprocessing import StandardScaler

        scaler = StandardScaler()
        scaled = scaler.fit_transform(own)
        return ledoit_wolf_share(scaled), scaler.scale_**2 * (scaled**2).mean()


def ledoit_wolf_share(centred: Floats) -> float:
    """The share of shrinkage that Ledoit and Wolf estimate (2004, lemmas 3.2 to 3.4), from the
    products of utterances in the place of those of features.
    """
    utterances, features = centred.shape
    if features == 1:
        return 0.0
    products = centred @ centred.T
    squares = float((products**2).sum()) / utterances**2
    mean = float(np.trace(products)) / (utterances * features)
    noise = (float((np.diag(products) ** 2).sum()) / utterances - squares) / utterances
    distance = squares - features * mean**2
    noise = min(noise, distance)
    return noise / distance if noise > 0 else 0.0


def _solve(diagonal: Floats, rows: Floats, right: Floats) -> Floats:
    """Give x with (diag(diagonal) + rows^T rows) x = right, for right of (features, classes)."""
    from scipy.linalg import lstsq, solve

    if len(rows) >= len(diagonal) or diagonal.min() <= 0:
        found: Floats = lstsq(np.diag(diagonal) + rows.T @ rows, right)[0]
        return found
    # The Woodbury identity.
    scaled, first = rows / diagonal, right / diagonal[:, None]
    inner = np.eye(len(rows)) + scaled @ rows.T
    return np.asarray(first - scaled.T @ solve(inner, rows @ first, assume_a="pos"))
