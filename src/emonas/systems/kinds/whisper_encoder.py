"""`network: whisper-encoder`: Whisper's encoder, trained on, by the code of wav2vec 2.0."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from emonas.storage.genotype import AnyGenotype
from emonas.systems.shapes import NetworkShape
from emonas.systems.tuned import build_of_whisper, task_objective
from emonas.systems.tuned_options import TunedOptions

if TYPE_CHECKING:
    from torch import nn

STREAMS = (1, 1)


class Options(TunedOptions):
    """Whisper's encoder under mean pooling, dropout and a linear layer a task.

    Its context, 30 s as released, is cut to `longest_seconds`, to which every utterance is padded
    with silence: the shorter, the faster.
    """

    package: ClassVar[str] = "whisper"
    extra: ClassVar[str] = "whisper"

    network: Literal["whisper-encoder"] = Field("whisper-encoder", description="the kind of system")
    longest_seconds: float = Field(
        10.0, ge=0.1, le=30, description="the longest utterance, and the context (ours)"
    )


def build(options: Options, genotype: AnyGenotype | None, shape: NetworkShape) -> nn.Module:
    """The encoder under the heads of the tasks.

    Raises:
        EmonasError: the checkpoint is damaged or of another architecture.
    """
    return build_of_whisper(options, shape)


objective = task_objective
