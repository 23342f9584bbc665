"""Options that the systems share which classify frames, and how their classifier is built."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from emonas.systems.options import TrainedOptions
from emonas.systems.shapes import NetworkShape

if TYPE_CHECKING:
    from emonas.networks.frame_classifier import FrameClassifier


class FrameOptions(TrainedOptions):
    """Bidirectional LSTM layers over frames."""

    hidden: int = Field(
        64, ge=1, description="width of a hidden state, in each direction (our reading)"
    )
    layers: int = Field(2, ge=1, description="stacked layers (our reading)")
    dropout: float = Field(
        0.3,
        ge=0,
        lt=1,
        description="dropout on the output of every layer, the last one's too (ours)",
    )


def frame_classifier(options: FrameOptions, shape: NetworkShape, outputs: int) -> FrameClassifier:
    """The classifier of frames; several inputs stand side by side in each frame."""
    from emonas.networks.frame_classifier import FrameClassifier

    width = sum(shape.widths)
    return FrameClassifier(width, options.hidden, options.layers, outputs, options.dropout)
