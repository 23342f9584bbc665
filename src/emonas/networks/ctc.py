"""CTC-RNN: an utterance as one emotion among frames without any (Han et al., 2018)."""

import torch
from torch import Tensor, nn

from emonas.networks.frame_classifier import FrameClassifier
from emonas.networks.pooling import mean_over_frames
from emonas.networks.streams import Output, Stream, side_by_side


def sequence_likelihoods(logs: Tensor, lengths: Tensor, labels: int) -> Tensor:
    """The logarithm of the probability of each class's own sequence, (batch, classes): the class
    `labels` times, or as often as fits, with nothing else but the blank (Graves et al., 2006).

    Args:
        logs: logarithms of probabilities (batch, time, classes + 1), the blank's last.
        lengths: frames of each utterance (batch).
        labels: how often a class stands in its sequence.
    """
    batch, _, units = logs.shape
    classes = units - 1
    if lengths.is_meta:
        # A network that only counts has no lengths; the sum over paths counts nothing.
        return logs.sum(dim=1)[:, :classes]
    # A sum over hundreds of frames would leave no decimals in single precision.
    paths = logs.double().repeat_interleave(classes, dim=0).transpose(0, 1)
    # Between two of one label there must be a blank.
    counts = ((lengths + 1) // 2).clamp(max=labels)
    targets = torch.arange(classes, device=logs.device).repeat(batch)[:, None].expand(-1, labels)
    loss = nn.functional.ctc_loss(
        paths,
        targets,
        lengths.repeat_interleave(classes),
        counts.repeat_interleave(classes),
        blank=classes,
        reduction="none",
    )
    return -loss.view(batch, classes).to(logs.dtype)


class CtcRnn(nn.Module):
    """A class's logit is the log-likelihood of its sequence; the blank stands for no emotion.

    Args:
        frames: the classifier of frames, which has an output more than there are classes.
        labels: how often an utterance's emotion stands in its sequence.
    """

    def __init__(self, frames: FrameClassifier, labels: int) -> None:
        super().__init__()
        self.frames = frames
        self._labels = labels

    def forward(self, *streams: Stream) -> Output:
        """Streams of equal lengths to log-likelihoods and the mean state.

        Raises:
            EmonasError: streams differ in length.
        """
        stream = side_by_side(streams)
        scores, states = self.frames(stream)
        logits = sequence_likelihoods(scores.log_softmax(dim=2), stream.lengths, self._labels)
        return Output(logits, mean_over_frames(Stream(states, stream.lengths)))
