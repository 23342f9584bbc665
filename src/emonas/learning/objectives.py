"""What a network is trained to make small."""

from abc import ABC, abstractmethod

from torch import Tensor, nn

from emonas.learning.batches import Batch
from emonas.learning.options import TrainingOptions
from emonas.networks.streams import Output


class Objective(nn.Module, ABC):
    """A loss, called with what a network made of a batch.

    What it learns beside the network is its parameters: they learn with the network's.
    """

    @abstractmethod
    def classification(self, output: Output, batch: Batch) -> Tensor:
        """The loss of the classes alone, which validation goes by."""

    @abstractmethod
    def forward(self, output: Output, batch: Batch) -> Tensor:
        """The whole loss, which is trained on."""

    def facts(self) -> dict[str, float]:
        """Figures of the epoch for the history; counting begins anew."""
        return {}


class CrossEntropy(Objective):
    """Cross entropy with the options' smoothing, and a weight a class where given, (classes)."""

    def __init__(self, options: TrainingOptions, weights: Tensor | None = None) -> None:
        super().__init__()
        self._loss = nn.CrossEntropyLoss(weight=weights, label_smoothing=options.label_smoothing)

    def classification(self, output: Output, batch: Batch) -> Tensor:
        """The mean over the batch."""
        loss: Tensor = self._loss(output.logits, batch.labels)
        return loss

    def forward(self, output: Output, batch: Batch) -> Tensor:
        """The same: there is nothing else."""
        return self.classification(output, batch)
