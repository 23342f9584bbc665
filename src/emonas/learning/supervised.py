"""Plain supervised learning of a network from labelled batches."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from emonas.learning.batches import Batch, Batches, Examples
from emonas.learning.masking import mask_stream
from emonas.learning.optimisers import (
    halve_on_plateau,
    learning_rate,
    make_optimiser,
    set_learning_rate,
)
from emonas.learning.options import TrainingOptions
from emonas.learning.scores import Scored
from emonas.networks.streams import Output, Stream


class SupervisedLearner:
    """Cross entropy, one optimiser; see `emonas.learning.loop.Learner`.

    Args:
        network: what learns.
        options: how it learns.
        device: where it is computed.
        weights: a weight a class for the loss, (classes).
        parameters: those of the network that learn; all where none are given.
    """

    def __init__(
        self,
        network: nn.Module,
        options: TrainingOptions,
        device: torch.device,
        weights: Tensor | None = None,
        parameters: Sequence[nn.Parameter] | None = None,
    ) -> None:
        self.network = network.to(device)
        self.device = device
        self._options = options
        self._objective = make_objective(options, weights).to(device)
        self._parameters = list(network.parameters() if parameters is None else parameters)
        self._optimiser = make_optimiser(self._parameters, options)
        self._rate = options.learning_rate
        self._plateau = None
        if options.schedule == "plateau":
            self._plateau = halve_on_plateau(self._optimiser, options)

    @property
    def needs_validation(self) -> bool:
        """Whether the learning rate goes by the validation loss."""
        return self._plateau is not None

    def begin_epoch(self, epoch: int) -> None:
        """Set the learning rate."""
        if self._plateau is None:
            set_learning_rate(self._optimiser, learning_rate(self._options, epoch))
        self._rate = self._optimiser.param_groups[0]["lr"]

    def end_epoch(self, row: Mapping[str, float]) -> None:
        """Take in the validation loss, if the learning rate goes by it."""
        if self._plateau is not None:
            self._plateau.step(row["validation_loss"])

    def train_batch(self, batch: Batch) -> Scored:
        """One step of the optimiser."""
        self.network.train()
        logits = self.network(*self._masked(batch)).logits
        loss = self._objective(logits, batch.labels)
        self._optimiser.zero_grad()
        loss.backward(inputs=self._parameters)
        if self._options.clip is not None:
            nn.utils.clip_grad_norm_(self._parameters, self._options.clip)
        self._optimiser.step()
        return Scored(loss.item(), logits.detach(), batch.labels)

    @torch.no_grad()
    def validate_batch(self, batch: Batch) -> Scored:
        """Score without learning."""
        self.network.eval()
        logits = self.network(*batch.streams).logits
        return Scored(self._objective(logits, batch.labels).item(), logits, batch.labels)

    def facts(self) -> dict[str, float]:
        """The learning rate."""
        return {"learning_rate": self._rate}

    def state(self) -> dict[str, Any]:
        """Network, optimiser and schedule."""
        return {
            "network": self.network.state_dict(),
            "optimiser": self._optimiser.state_dict(),
            "plateau": None if self._plateau is None else self._plateau.state_dict(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Take back network, optimiser and schedule."""
        self.network.load_state_dict(state["network"])
        self._optimiser.load_state_dict(state["optimiser"])
        if self._plateau is not None:
            self._plateau.load_state_dict(state["plateau"])

    def _masked(self, batch: Batch) -> Sequence[Stream]:
        options = self._options
        if not options.mask_time and not options.mask_features:
            return batch.streams
        return [mask_stream(s, options.mask_time, options.mask_features) for s in batch.streams]


def make_objective(options: TrainingOptions, weights: Tensor | None = None) -> nn.Module:
    """Cross entropy with the options' smoothing, and a weight a class where given."""
    return nn.CrossEntropyLoss(weight=weights, label_smoothing=options.label_smoothing)


def class_weights(labels: npt.NDArray[np.int64], classes: int) -> Tensor:
    """Weights n / (classes * n_class) of the training part, (classes), as scikit-learn's
    `balanced`; a class without utterances has 0.
    """
    counts = np.bincount(labels, minlength=classes)
    weights = np.divide(len(labels), classes * counts, out=np.zeros(classes), where=counts > 0)
    return torch.from_numpy(weights.astype(np.float32))


@torch.no_grad()
def apply_network(
    network: nn.Module, examples: Examples, size: int, device: torch.device
) -> Output:
    """Logits and embeddings of all examples in their order, on the CPU."""
    network.to(device).eval()
    outputs = [network(*batch.to(device).streams) for batch in Batches(examples, size).epoch()]
    return Output(
        torch.cat([output.logits.cpu() for output in outputs]),
        torch.cat([output.embedding.cpu() for output in outputs]),
    )
