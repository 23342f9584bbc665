"""Loss, UA and WA of an epoch, added up batch by batch."""

from statistics import fmean
from typing import NamedTuple

import torch
from torch import Tensor


class Scored(NamedTuple):
    """One batch: its mean loss, `logits` (batch, classes), `labels` (batch), and the domain that
    all its utterances are of, where domains are told apart.
    """

    loss: float
    logits: Tensor
    labels: Tensor
    domain: int | None = None


class Tally:
    """Adds up batches."""

    def __init__(self) -> None:
        self._loss = 0.0
        self._right: list[Tensor] = []
        self._labels: list[Tensor] = []
        self._domains: list[int | None] = []

    def add(self, scored: Scored) -> None:
        """Add one batch."""
        self._loss += scored.loss * len(scored.labels)
        self._labels.append(scored.labels.cpu())
        if scored.logits.shape[1]:
            self._right.append((scored.logits.argmax(dim=1) == scored.labels).cpu())
        self._domains.append(scored.domain)

    def figures(self, part: str) -> dict[str, float]:
        """Mean loss, UA (mean of the class recalls) and WA, named `{part}_loss` and so on.

        Where domains are told apart, UA and WA are the means of theirs, so that a large domain
        does not outweigh a small one. A network without classes has its loss alone.
        """
        loss = self._loss / sum(map(len, self._labels))
        if not self._right:
            return {f"{part}_loss": loss}
        scores = [self._accuracies(domain) for domain in sorted(set(self._domains), key=str)]
        return {
            f"{part}_loss": loss,
            f"{part}_ua": fmean(ua for ua, _ in scores),
            f"{part}_wa": fmean(wa for _, wa in scores),
        }

    def _accuracies(self, domain: int | None) -> tuple[float, float]:
        """UA and WA of one domain."""
        chosen = [number for number, of in enumerate(self._domains) if of == domain]
        right = torch.cat([self._right[number] for number in chosen]).double()
        labels = torch.cat([self._labels[number] for number in chosen])
        recalls = [right[labels == label].mean() for label in torch.unique(labels)]
        return float(torch.stack(recalls).mean()), float(right.mean())
