"""The losses of several tasks in one (Two-stage fine-tuning, eqs. 1 and 2)."""

import math
from collections.abc import Mapping, Sequence
from itertools import combinations

import torch
from torch import Tensor, nn

from emonas.learning.batches import NO_ANSWER, Batch, Targets
from emonas.learning.objectives import CrossEntropy, Objective
from emonas.networks.streams import Output, Stream
from emonas.storage.history import COSINE
from emonas.storage.predictions import ASR, EMOTION
from emonas.systems.task_outputs import BLANK


class TaskObjective(Objective):
    """The weighed sum of the tasks' losses: cross entropy, and CTC for asr.

    An utterance of which an answer is not known has no part in that task's loss. On the first
    batch of every epoch (its first piece), the cosine of each two tasks' gradients in the encoder
    is measured: where it is negative, the tasks pull it in opposite directions. An adversarial
    task's is that which reaches the encoder, turned round.

    Args:
        emotion: the loss of the emotions.
        weights: of each task's loss.
        shared: the parameters of the encoder that learn.
        adversarial: the adversarial tasks, by which no epoch is chosen.
    """

    def __init__(
        self,
        emotion: CrossEntropy,
        weights: Mapping[str, float],
        shared: Sequence[nn.Parameter],
        adversarial: Sequence[str] = (),
    ) -> None:
        super().__init__()
        self._emotion = emotion
        self._weights = dict(weights)
        # In a tuple, so that they stay the network's alone.
        self._shared = (tuple(shared),)
        self._sums = dict.fromkeys(weights, 0.0)
        self._adversarial = tuple(adversarial)
        self._known = dict.fromkeys(weights, 0)
        self._cosines: dict[str, float] | None = None

    def losses(self, output: Output, batch: Batch) -> dict[str, Tensor]:
        """The loss of each task."""
        return {task: self._loss(task, output, batch) for task in self._weights}

    def classification(self, output: Output, batch: Batch) -> Tensor:
        """The loss of the emotions; where emotion is no task, of all others together that are
        learnt.
        """
        if EMOTION in self._weights:
            return self._emotion.classification(output, batch)
        losses = self.losses(output, batch)
        return self._weighed({t: loss for t, loss in losses.items() if t not in self._adversarial})

    def forward(self, output: Output, batch: Batch) -> Tensor:
        """The weighed sum."""
        losses = self.losses(output, batch)
        if self._cosines is None:
            several = len(losses) > 1
            self._cosines = gradient_cosines(losses, self._shared[0]) if several else {}
        for task, loss in losses.items():
            known = _known(task, batch)
            self._sums[task] += loss.item() * known
            self._known[task] += known
        return self._weighed(losses)

    def facts(self) -> dict[str, float]:
        """Each task's mean loss over the utterances whose answer is known, NaN where none is, and
        the cosines of their gradients.
        """
        means = {
            f"train_{task}_loss": self._sums[task] / count if count else math.nan
            for task, count in self._known.items()
        }
        cosines, self._cosines = self._cosines or {}, None
        self._sums = dict.fromkeys(self._weights, 0.0)
        self._known = dict.fromkeys(self._weights, 0)
        return means | {f"{COSINE}{pair}": cosine for pair, cosine in cosines.items()}

    def _weighed(self, losses: Mapping[str, Tensor]) -> Tensor:
        return torch.stack([self._weights[task] * loss for task, loss in losses.items()]).sum()

    def _loss(self, task: str, output: Output, batch: Batch) -> Tensor:
        if task == EMOTION:
            return self._emotion.classification(output, batch)
        answers, right = (output.tasks or {})[task], (batch.targets or {})[task]
        return ctc_loss(answers, right) if task == ASR else answer_loss(answers, right)


def _known(task: str, batch: Batch) -> int:
    """Of how many utterances of a batch the answer is known."""
    if task == EMOTION:
        return len(batch.labels)
    return int(((batch.targets or {})[task].lengths > 0).sum())


def answer_loss(answers: Stream, right: Targets) -> Tensor:
    """Cross entropy, the mean over the utterances whose answer is known; 0 where none is."""
    known = right.lengths > 0
    if not known.any():
        return answers.frames.sum() * 0.0
    logits, numbers = answers.frames[known, 0], right.numbers[known, 0]
    return nn.functional.cross_entropy(logits.float(), numbers)


def ctc_loss(answers: Stream, right: Targets) -> Tensor:
    """CTC's loss by character (Graves et al. 2006), the mean over the utterances with a text.

    A text that is longer than its utterance has frames can't be spelt, and weighs nothing.
    """
    known = right.lengths > 0
    if not known.any():
        return answers.frames.sum() * 0.0
    numbers, lengths = right.numbers[known], right.lengths[known]
    losses = nn.functional.ctc_loss(
        answers.frames[known].float().log_softmax(dim=2).transpose(0, 1),
        numbers.masked_fill(numbers == NO_ANSWER, BLANK),
        answers.lengths[known],
        lengths,
        blank=BLANK,
        reduction="none",
        zero_infinity=True,
    )
    return (losses / lengths).mean()


def gradient_cosines(
    losses: Mapping[str, Tensor], parameters: Sequence[nn.Parameter]
) -> dict[str, float]:
    """The cosine of each two tasks' gradients (Two-stage fine-tuning, 2.2; Yu et al. 2020).

    Those of two tasks `a` and `b` are named `a_b`; none where nothing is shared, or a task has no
    gradient there.
    """
    if not parameters:
        return {}
    # A tensor at a time: of a large encoder, one vector of all would be a copy more.
    gradients = {
        task: torch.autograd.grad(loss, parameters, retain_graph=True, allow_unused=True)
        for task, loss in losses.items()
    }
    lengths = {task: math.sqrt(_product(own, own)) for task, own in gradients.items()}
    return {
        f"{one}_{other}": _product(gradients[one], gradients[other]) / length
        for one, other in combinations(gradients, 2)
        if (length := lengths[one] * lengths[other]) > 0
    }


def _product(one: Sequence[Tensor | None], other: Sequence[Tensor | None]) -> float:
    """The inner product of two gradients, a tensor a parameter; None is zero."""
    return sum(
        float(torch.dot(a.flatten(), b.flatten()))
        for a, b in zip(one, other, strict=True)
        if a is not None and b is not None
    )
