"""What systems are trained to make small that learn from each frame, or from a sequence."""

from torch import Tensor, nn

from emonas.learning.batches import Batch
from emonas.learning.objectives import Objective
from emonas.learning.options import TrainingOptions
from emonas.networks.streams import Output


class FrameCrossEntropy(Objective):
    """Cross entropy of every frame with its utterance's label; each frame counts the same, and
    padding nothing. With the options' smoothing, and a weight a class where given, (classes).
    """

    def __init__(self, options: TrainingOptions, weights: Tensor | None = None) -> None:
        super().__init__()
        self._loss = nn.CrossEntropyLoss(weight=weights, label_smoothing=options.label_smoothing)

    def classification(self, output: Output, batch: Batch) -> Tensor:
        """The mean over the frames of the batch.

        Raises:
            ValueError: the network does not classify frames.
        """
        if output.frames is None:
            raise ValueError("this network gives no logits of frames")
        stream = batch.streams[0]
        labels = batch.labels.repeat_interleave(stream.lengths)
        loss: Tensor = self._loss(output.frames[stream.mask], labels)
        return loss

    def forward(self, output: Output, batch: Batch) -> Tensor:
        """The same: there is nothing else."""
        return self.classification(output, batch)


class SequenceLikelihood(Objective):
    """The negative log-likelihood of each utterance's own sequence (CTC), of logits that are such
    log-likelihoods; with a weight a class where given, (classes).
    """

    def __init__(self, weights: Tensor | None = None) -> None:
        super().__init__()
        self._loss = nn.NLLLoss(weight=weights)

    def classification(self, output: Output, batch: Batch) -> Tensor:
        """The mean over the batch."""
        loss: Tensor = self._loss(output.logits, batch.labels)
        return loss

    def forward(self, output: Output, batch: Batch) -> Tensor:
        """The same: there is nothing else."""
        return self.classification(output, batch)
