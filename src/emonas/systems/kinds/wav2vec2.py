"""`network: wav2vec2`: wav2vec 2.0, trained on (Two-stage fine-tuning, figure 1)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from emonas.storage.genotype import AnyGenotype
from emonas.systems.shapes import NetworkShape
from emonas.systems.tuned import build_of_transformers, task_objective
from emonas.systems.tuned_options import TunedOptions

if TYPE_CHECKING:
    from torch import nn

STREAMS = (1, 1)

LIBRARIES = ("transformers.models.wav2vec2.modeling_wav2vec2",)
"""What its jobs import that others don't."""


class Options(TunedOptions):
    """wav2vec 2.0 of transformers under mean pooling, dropout and a linear layer a task."""

    network: Literal["wav2vec2"] = Field("wav2vec2", description="the kind of system")


def build(options: Options, genotype: AnyGenotype | None, shape: NetworkShape) -> nn.Module:
    """The encoder under the heads of the tasks.

    Raises:
        EmonasError: the checkpoint is damaged or of another architecture.
    """
    return build_of_transformers(options, shape, "wav2vec2")


objective = task_objective
