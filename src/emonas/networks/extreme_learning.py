"""RNN-ELM: classes of frames, their statistics over an utterance, and an extreme learning machine
on these (Lee and Tashev, 2015).
"""

import torch
from torch import Tensor, nn

from emonas.networks.frame_classifier import FrameClassifier
from emonas.networks.streams import Output, Stream, side_by_side

STATISTICS = 4


def high_level_statistics(probabilities: Tensor, mask: Tensor, threshold: float) -> Tensor:
    """Of each class over an utterance's frames the maximum, minimum and mean of its probability,
    and the share of frames in which it is above the threshold (Han, Yu and Tashev, 2014).

    Probabilities are (batch, time, classes), the mask (batch, time); gives (batch, 4 * classes),
    all maxima first.
    """
    outside = ~mask[..., None]
    count = mask.sum(dim=1, keepdim=True)
    own = probabilities.masked_fill(outside, 0.0)
    return torch.cat(
        [
            own.amax(dim=1),
            probabilities.masked_fill(outside, 1.0).amin(dim=1),
            own.sum(dim=1) / count,
            ((probabilities > threshold) & ~outside).sum(dim=1) / count,
        ],
        dim=1,
    )


class ExtremeLearningMachine(nn.Module):
    """A hidden layer of sigmoids that stays as it is drawn, and a linear map that is solved at once
    (Huang et al., 2006); weights and biases are drawn uniformly from -1 to 1 (our reading).
    """

    weight: Tensor
    bias: Tensor

    def __init__(self, width: int, hidden: int, outputs: int) -> None:
        super().__init__()
        self.register_buffer("weight", torch.empty(hidden, width).uniform_(-1, 1))
        self.register_buffer("bias", torch.empty(hidden).uniform_(-1, 1))
        self.output = nn.Linear(hidden, outputs, bias=False)

    def forward(self, vectors: Tensor) -> Tensor:
        """(batch, width) to (batch, outputs)."""
        hidden = nn.functional.linear(vectors, self.weight, self.bias).sigmoid()
        outputs: Tensor = self.output(hidden)
        return outputs

    @torch.no_grad()
    def solve(
        self, vectors: Tensor, targets: Tensor, ridge: float, weights: Tensor | None = None
    ) -> None:
        """The linear map B with the least sum over examples of weight * |h B - t| ** 2, plus ridge
        * |B| ** 2; without a ridge the smallest of these, which is the pseudoinverse's.

        Vectors are (examples, width), targets (examples, outputs), weights (examples), all 1 where
        none are given. Computed in double precision on the CPU.
        """
        layer = self.weight.cpu().double(), self.bias.cpu().double()
        hidden = nn.functional.linear(vectors.cpu().double(), *layer).sigmoid()
        wanted = targets.cpu().double()
        if weights is not None:
            scale = weights.cpu().double().sqrt()[:, None]
            hidden, wanted = hidden * scale, wanted * scale
        penalty = ridge**0.5 * torch.eye(hidden.shape[1], dtype=torch.float64)
        hidden = torch.cat([hidden, penalty])
        wanted = torch.cat([wanted, wanted.new_zeros(len(penalty), wanted.shape[1])])
        solution = torch.linalg.lstsq(hidden, wanted, driver="gelsd").solution
        self.output.weight.copy_(solution.T)


class RnnElm(nn.Module):
    """An utterance's classes by the machine once it is solved, by the mean probability of its
    frames before.

    Args:
        frames: the classifier of frames.
        classes: how many there are.
        hidden: sigmoids of the machine.
        threshold: of the share of frames.
    """

    solved: Tensor

    def __init__(
        self, frames: FrameClassifier, classes: int, hidden: int, threshold: float
    ) -> None:
        super().__init__()
        self.frames = frames
        self.machine = ExtremeLearningMachine(STATISTICS * classes, hidden, classes)
        self._classes, self._threshold = classes, threshold
        self.register_buffer("solved", torch.tensor(False))

    def forward(self, *streams: Stream) -> Output:
        """Streams of equal lengths to logits, the statistics over frames, and each frame's logits.

        Raises:
            EmonasError: streams differ in length.
        """
        stream = side_by_side(streams)
        scores, _ = self.frames(stream)
        logs = scores.log_softmax(dim=2)
        vector = high_level_statistics(logs.exp(), stream.mask, self._threshold)
        own = logs.masked_fill(~stream.mask[..., None], float("-inf"))
        mean = own.logsumexp(dim=1) - stream.lengths[:, None].log()
        logits = torch.where(self.solved, self.machine(vector), mean)
        return Output(logits, vector, frames=scores)

    def solve(
        self, vectors: Tensor, labels: Tensor, ridge: float, weights: Tensor | None = None
    ) -> None:
        """Solve the machine for targets of 1 for an utterance's class and 0 for all others; from
        here on it answers.
        """
        targets = nn.functional.one_hot(labels, self._classes)
        self.machine.solve(vectors, targets, ridge, weights)
        self.solved.fill_(value=True)
