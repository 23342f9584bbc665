"""`network: wavlm`: WavLM, trained on, by the code of wav2vec 2.0."""

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

LIBRARIES = ("transformers.models.wavlm.modeling_wavlm",)
"""What its jobs import that others don't."""


class Options(TunedOptions):
    """WavLM of transformers under mean pooling, dropout and a linear layer a task."""

    network: Literal["wavlm"] = Field("wavlm", description="the kind of system")


def build(options: Options, genotype: AnyGenotype | None, shape: NetworkShape) -> nn.Module:
    """The encoder under the heads of the tasks.

    Raises:
        EmonasError: the checkpoint is damaged or of another architecture.
    """
    return build_of_transformers(options, shape, "wavlm")


objective = task_objective
