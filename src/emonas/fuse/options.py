"""Options of a fused system."""

from typing import Literal, Self

from pydantic import Field, model_validator

from emonas.learning.options import TrainingOptions
from emonas.options import Options

FusionMethod = Literal["ism", "concat", "sum", "max", "min", "perceptron"]


class FusionTraining(TrainingOptions):
    """Training of the fusion alone; the streams stay as they were trained."""

    epochs: int = Field(100, ge=1, description="passes over the training part (v1, 3.3)")
    learning_rate: float = Field(1e-3, gt=0, le=1000, description="learning rate of Adam (v1, 3.3)")


class FusionOptions(Options):
    """Trained systems of one protocol, fused: a fused system is a system."""

    fuse: tuple[str, ...] = Field(min_length=2, description="the systems that are fused")
    method: FusionMethod = Field(
        "ism",
        description="ism, concat, sum, max, min on the embeddings (v2), perceptron on the "
        "probabilities (v1)",
    )
    dominant: str | None = Field(
        None, description="the stream that ISM leaves untouched; sum, max and min map it"
    )
    joint: bool = Field(
        False,
        description="train the streams' networks on together with the fusion; else they stay as "
        "they were trained (our reading)",
    )
    training: FusionTraining = Field(
        default_factory=FusionTraining, description="how the fusion is trained"
    )

    @model_validator(mode="after")
    def _options_fit_the_method(self) -> Self:
        needs = self.method in ("ism", "sum", "max", "min")
        if needs and self.dominant not in self.fuse:
            raise ValueError(
                f"method {self.method} needs `dominant`, one of {', '.join(self.fuse)}"
            )
        if self.method in ("sum", "max", "min") and len(self.fuse) != 2:
            raise ValueError(f"method {self.method} fuses two systems, not {len(self.fuse)}")
        if self.joint and self.method == "perceptron":
            raise ValueError("joint trains on embeddings, and the perceptron hears probabilities")
        masks = [key for key in ("mask_time", "mask_features") if getattr(self.training, key)]
        if masks and not self.joint:
            raise ValueError(
                f"training.{masks[0]} masks frames, and a fusion of frozen streams hears none; "
                "leave it out, or set joint: true"
            )
        return self

    @property
    def dominant_index(self) -> int:
        """The place of the dominant stream; the first where none is named."""
        return self.fuse.index(self.dominant) if self.dominant in self.fuse else 0
