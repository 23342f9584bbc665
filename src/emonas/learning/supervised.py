"""Plain supervised learning of a network from labelled batches."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from emonas.learning.batches import Batch, Batches, Examples
from emonas.learning.masking import mask_stream
from emonas.learning.objectives import CrossEntropy, Objective
from emonas.learning.optimisers import (
    Rates,
    common_rate,
    halve_on_plateau,
    learning_rate,
    make_optimiser,
    set_learning_rate,
)
from emonas.learning.options import TrainingOptions
from emonas.learning.scores import Scored
from emonas.networks.streams import Output, Stream


class SupervisedLearner:
    """One objective, one optimiser; see `emonas.learning.loop.Learner`.

    Args:
        network: what learns.
        options: how it learns.
        device: where it is computed.
        objective: what is made small; plain cross entropy where none is given.
        parameters: those of the network that learn; all where none are given.
        rates: those that learn at a multiple of the options' rate.
        pieces: so many parts of a batch are computed one after the other, and their gradients
            added up, weighed by their utterances; for losses that are means over utterances.
    """

    def __init__(
        self,
        network: nn.Module,
        options: TrainingOptions,
        device: torch.device,
        objective: Objective | None = None,
        parameters: Sequence[nn.Parameter] | None = None,
        rates: Rates | None = None,
        pieces: int = 1,
    ) -> None:
        self.network = network.to(device)
        self.device = device
        self._options = options
        self._pieces = pieces
        self._objective = (objective or CrossEntropy(options)).to(device)
        self._parameters = [
            parameter
            for parameter in (network.parameters() if parameters is None else parameters)
            if parameter.requires_grad
        ]
        self._parameters += self._objective.parameters()
        self._optimiser = make_optimiser(self._parameters, options, rates)
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
        self._rate = common_rate(self._optimiser)

    def end_epoch(self, row: Mapping[str, float]) -> None:
        """Take in the validation loss, if the learning rate goes by it."""
        if self._plateau is not None:
            self._plateau.step(row["validation_loss"])

    def train_batch(self, batch: Batch) -> Scored:
        """One step of the optimiser."""
        self.network.train()
        self._objective.train()
        self._optimiser.zero_grad()
        scored = [
            self._add_gradient(piece, len(piece.labels) / len(batch.labels))
            for piece in self._masked(batch).pieces(self._pieces)
        ]
        if self._options.clip is not None:
            nn.utils.clip_grad_norm_(self._parameters, self._options.clip)
        self._optimiser.step()
        loss = sum(part.loss * len(part.logits) for part in scored) / len(batch.labels)
        logits = torch.cat([part.logits for part in scored])
        return Scored(loss, logits, batch.labels, batch.domain)

    def _add_gradient(self, batch: Batch, share: float) -> Scored:
        """Add the gradient of a batch that is a share of the whole one."""
        with self._precision():
            output = batch.through(self.network)
            loss = self._objective(output, batch)
        (share * loss).backward(inputs=self._parameters)
        return Scored(loss.item(), output.logits.detach(), batch.labels, batch.domain)

    def _precision(self) -> torch.autocast:
        mixed = self._options.precision == "mixed"
        return torch.autocast(self.device.type, torch.bfloat16, enabled=mixed)

    @torch.no_grad()
    def validate_batch(self, batch: Batch) -> Scored:
        """Score without learning."""
        self.network.eval()
        with self._precision():
            output = batch.through(self.network)
            loss = self._objective.classification(output, batch)
        return Scored(loss.item(), output.logits, batch.labels, batch.domain)

    def facts(self) -> dict[str, float]:
        """The learning rate, and what the objective has to tell."""
        return {"learning_rate": self._rate, **self._objective.facts()}

    def weights(self) -> dict[str, Tensor]:
        """Parameters and buffers of the network and its objective."""
        return {**self.network.state_dict(), **self._objective.state_dict(prefix="objective.")}

    def state(self) -> dict[str, Any]:
        """Network, objective, optimiser and schedule."""
        return {
            "network": self.network.state_dict(),
            "objective": self._objective.state_dict(),
            "optimiser": self._optimiser.state_dict(),
            "plateau": None if self._plateau is None else self._plateau.state_dict(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Take back network, objective, optimiser and schedule."""
        self.network.load_state_dict(state["network"])
        self._objective.load_state_dict(state["objective"])
        self._optimiser.load_state_dict(state["optimiser"])
        if self._plateau is not None:
            self._plateau.load_state_dict(state["plateau"])

    def _masked(self, batch: Batch) -> Batch:
        options = self._options
        if not options.mask_time and not options.mask_features:
            return batch
        masked = [mask_stream(s, options.mask_time, options.mask_features) for s in batch.streams]
        return batch._replace(streams=tuple(masked))


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
    batches = Batches(examples, size)
    outputs = [batch.to(device).through(network) for batch in batches.epoch()]
    # Batches of one domain each come in another order.
    order = torch.from_numpy(np.argsort(np.concatenate(batches.rows())))
    gates = [output.gates.cpu() for output in outputs if output.gates is not None]
    tasks = [output.tasks for output in outputs if output.tasks is not None]
    return Output(
        torch.cat([output.logits.cpu() for output in outputs])[order],
        torch.cat([output.embedding.cpu() for output in outputs])[order],
        torch.cat(gates)[order] if gates else None,
        {task: _joined([of[task] for of in tasks], order) for task in tasks[0]} if tasks else None,
    )


def _joined(streams: Sequence[Stream], order: Tensor) -> Stream:
    """The streams of all batches in one, padded with zeros to the longest."""
    steps = max(stream.frames.shape[1] for stream in streams)
    padded = [
        nn.functional.pad(s.frames.cpu(), (0, 0, 0, steps - s.frames.shape[1])) for s in streams
    ]
    lengths = torch.cat([stream.lengths.cpu() for stream in streams])
    return Stream(torch.cat(padded)[order], lengths[order])
