"""What systems of several domains are trained to make small (Multi-gating NAS, eq. 6)."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from emonas.learning.batches import Batch
from emonas.learning.objectives import CrossEntropy, Objective
from emonas.learning.supervised import class_weights
from emonas.networks.contrastive import ContrastiveLoss
from emonas.networks.streams import Output
from emonas.storage.history import CONTRASTIVE
from emonas.systems.data import FoldData
from emonas.systems.multilingual_options import MultilingualOptions


@dataclass(frozen=True)
class DomainTarget:
    """The classes that compete in a domain, by number, and the contrastive loss's weight there."""

    classes: tuple[int, ...]
    contrastive: float


class DomainObjective(Objective):
    """Cross entropy over the classes of a batch's domain, plus alpha times the contrastive loss."""

    def __init__(
        self, options: MultilingualOptions, data: FoldData, targets: Sequence[DomainTarget]
    ) -> None:
        super().__init__()
        self._targets = tuple(targets)
        self._losses = nn.ModuleList(
            _cross_entropy(options, data, number, target) for number, target in enumerate(targets)
        )
        self._contrastive = None
        if any(target.contrastive for target in targets):
            self._contrastive = ContrastiveLoss(own=options.contrastive_own)
        self._acted: list[bool] = []

    def classification(self, output: Output, batch: Batch) -> Tensor:
        """The mean over the batch; of an ensemble that learns, over its members too, of which each
        learns by itself at the rate divided by their number (nothing to Adam).
        """
        number = batch.domain or 0
        classes = torch.tensor(self._targets[number].classes, device=batch.labels.device)
        own = Batch((), torch.searchsorted(classes, batch.labels.contiguous()), number)
        members = output.logits[None] if output.members is None else output.members
        # Of cross entropy the whole loss is that of the classes.
        losses = [
            self._losses[number](output._replace(logits=logits[:, classes]), own)
            for logits in members
        ]
        return torch.stack(losses).mean()

    def forward(self, output: Output, batch: Batch) -> Tensor:
        """With the contrastive loss of what the tower sees."""
        loss = self.classification(output, batch)
        alpha = self._targets[batch.domain or 0].contrastive
        if self._contrastive is None or not alpha:
            return loss
        contrast = self._contrastive(output.embedding, batch.labels)
        self._acted.append(contrast.emotions > 1)
        whole: Tensor = loss + alpha * contrast.loss
        return whole

    def facts(self) -> dict[str, float]:
        """The share of batches in which two emotions or more had enough utterances."""
        if self._contrastive is None:
            return {}
        acted, self._acted = self._acted, []
        return {CONTRASTIVE: sum(acted) / max(1, len(acted))}


def _cross_entropy(
    options: MultilingualOptions, data: FoldData, number: int, target: DomainTarget
) -> CrossEntropy:
    if not options.training.class_weights:
        return CrossEntropy(options.training)
    there = data.train.domains == number
    labels = data.train.labels[there] if data.train.domains is not None else data.train.labels
    weights = class_weights(labels, data.shape.classes)[list(target.classes)]
    # Balanced over the classes that compete here, and not over all of the union.
    return CrossEntropy(options.training, weights * data.shape.classes / len(target.classes))
