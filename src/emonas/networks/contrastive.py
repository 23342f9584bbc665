"""Utterances towards the centre of their emotion, and away from others' (Multi-gating, 4.2)."""

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn

_SMALLEST_NORM = 1e-8


class Contrast(NamedTuple):
    """`loss`, summed over the utterances that took part, how many did, and of how many emotions:
    of one alone there is nothing to be told apart from, and the loss is 0.
    """

    loss: Tensor
    utterances: int
    emotions: int


class ContrastiveLoss(nn.Module):
    """Cross entropy of w cos(x, c) + b over the centroids c of a batch's emotions (eqs. 3 to 5).

    w is the softplus of what is learnt: GE2E clamps it above 0, and below its bound a clamp has no
    slope that leads back.

    Args:
        fewest: an emotion with fewer utterances in the batch takes no part.
        own: whether an utterance counts in its own emotion's centroid (eq. 4), or is left out, as
            in GE2E and the authors' code.
        start_weight: w before learning (authors' code).
        start_offset: b before learning (authors' code).

    Raises:
        ValueError: nothing is left of an emotion with `fewest` utterances, or w is not above 0.
    """

    def __init__(
        self,
        fewest: int = 6,
        own: bool = True,
        start_weight: float = 10.0,
        start_offset: float = -5.0,
    ) -> None:
        super().__init__()
        if fewest < (1 if own else 2):
            raise ValueError(f"fewest must be {1 if own else 2} or more, not {fewest}")
        if start_weight <= 0:
            raise ValueError(f"start_weight must be above 0, not {start_weight}")
        self._fewest, self._own = fewest, own
        # softplus(w + log(1 - exp(-w))) is w.
        raw = start_weight + math.log(-math.expm1(-start_weight))
        self.raw_weight = nn.Parameter(torch.tensor(raw))
        self.offset = nn.Parameter(torch.tensor(float(start_offset)))

    @property
    def weight(self) -> Tensor:
        """The w of eq. 3, above 0."""
        return nn.functional.softplus(self.raw_weight)

    def forward(self, embeddings: Tensor, labels: Tensor) -> Contrast:
        """Embeddings (batch, width) and labels (batch) to the sum of eq. 6, without alpha.

        Where no emotion has enough utterances it is 0, and can still be differentiated.
        """
        enough = labels.bincount() >= self._fewest
        part = enough[labels]
        if not part.any():
            nothing = embeddings[part].sum() + 0.0 * (self.weight + self.offset)
            return Contrast(nothing, 0, 0)
        vectors = nn.functional.normalize(embeddings[part], dim=1, eps=_SMALLEST_NORM)
        emotions = (enough.cumsum(dim=0) - 1)[labels[part]]
        scores = self.weight * self._cosines(vectors, emotions) + self.offset
        loss = nn.functional.cross_entropy(scores, emotions, reduction="sum")
        return Contrast(loss, len(vectors), int(enough.sum()))

    def _cosines(self, vectors: Tensor, emotions: Tensor) -> Tensor:
        """Of every vector with every centroid, (utterances, emotions)."""
        members = nn.functional.one_hot(emotions).to(vectors.dtype)
        sums = members.T @ vectors
        # A centroid's length does not change its cosine: the sum is as good as the mean.
        cosines = vectors @ _directions(sums).T
        if self._own:
            return cosines
        others = _directions(sums[emotions] - vectors)
        return cosines.scatter(1, emotions[:, None], (vectors * others).sum(dim=1, keepdim=True))


def _directions(sums: Tensor) -> Tensor:
    return nn.functional.normalize(sums, dim=1, eps=_SMALLEST_NORM)
