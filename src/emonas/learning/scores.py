"""Loss, UA and WA of an epoch, added up batch by batch."""

from typing import NamedTuple

import torch
from torch import Tensor


class Scored(NamedTuple):
    """One batch: its mean loss, `logits` (batch, classes) and `labels` (batch)."""

    loss: float
    logits: Tensor
    labels: Tensor


class Tally:
    """Adds up batches."""

    def __init__(self) -> None:
        self._loss = 0.0
        self._right: list[Tensor] = []
        self._labels: list[Tensor] = []

    def add(self, scored: Scored) -> None:
        """Add one batch."""
        self._loss += scored.loss * len(scored.labels)
        self._right.append((scored.logits.argmax(dim=1) == scored.labels).cpu())
        self._labels.append(scored.labels.cpu())

    def figures(self, part: str) -> dict[str, float]:
        """Mean loss, UA (mean of the class recalls) and WA, named `{part}_loss` and so on."""
        right, labels = torch.cat(self._right).double(), torch.cat(self._labels)
        recalls = [right[labels == label].mean() for label in torch.unique(labels)]
        return {
            f"{part}_loss": self._loss / len(labels),
            f"{part}_ua": float(torch.stack(recalls).mean()),
            f"{part}_wa": float(right.mean()),
        }
