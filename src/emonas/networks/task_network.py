"""One encoder under the heads of several tasks (Two-stage fine-tuning, figure 1)."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from emonas.networks.gradient_reversal import reverse_gradient
from emonas.networks.pooling import mean_over_frames
from emonas.networks.streams import Output, Stream
from emonas.networks.waveform_encoder import Encoded, WaveformEncoder
from emonas.storage.predictions import EMOTION


@dataclass(frozen=True)
class Head:
    """A linear map to a task's answers.

    Attributes:
        answers: how many there are.
        by_frame: whether every frame has one, as in CTC, or the mean over an utterance's frames.
        joined: whether it sees the output of a lower block beside the last one's (section 2.3).
        reversal: the constant of a gradient reversal layer below it; none where it is not
            adversarial.
    """

    answers: int
    by_frame: bool = False
    joined: bool = False
    reversal: float | None = None


class TaskNetwork(nn.Module):
    """Mean pooling over frames, dropout and a linear layer a task; CTC's has no pooling."""

    def __init__(self, encoder: WaveformEncoder, heads: Mapping[str, Head], dropout: float) -> None:
        super().__init__()
        self.encoder = encoder
        self.dropout = nn.Dropout(dropout)
        self._heads = dict(heads)
        self.heads = nn.ModuleDict(
            {
                task: nn.Linear(encoder.width * (2 if head.joined else 1), head.answers)
                for task, head in heads.items()
            }
        )

    def forward(self, stream: Stream) -> Output:
        """(batch, samples, 1) to logits of the emotions, none of a network without that task, the
        pooled output of the encoder, and the answers of the other tasks.
        """
        encoded = self.encoder(stream)
        answers = {task: self._answer(task, encoded) for task in self._heads}
        embedding = mean_over_frames(Stream(encoded.last, encoded.lengths))
        emotion = answers.pop(EMOTION, None)
        logits = embedding.new_zeros(len(embedding), 0) if emotion is None else emotion.frames[:, 0]
        return Output(logits, embedding, tasks=answers)

    def _answer(self, task: str, encoded: Encoded) -> Stream:
        head = self._heads[task]
        seen = Stream(encoded.last, encoded.lengths)
        if head.joined and encoded.lower is not None:
            seen = Stream(torch.cat([encoded.lower, encoded.last], dim=2), encoded.lengths)
        if not head.by_frame:
            pooled = mean_over_frames(seen)[:, None]
            seen = Stream(pooled, torch.ones_like(encoded.lengths))
        values: Tensor = seen.frames
        if head.reversal is not None:
            values = reverse_gradient(values, head.reversal)
        return Stream(self.heads[task](self.dropout(values)), seen.lengths)
