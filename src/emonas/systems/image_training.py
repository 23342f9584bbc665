"""How the networks are trained that see a feature as an image: cells, and residual networks."""

from typing import Literal

from pydantic import Field

from emonas.learning.options import Schedule, TrainingOptions


class ImageTraining(TrainingOptions):
    """Retraining of the cells found; the paper gives these rates for the search."""

    optimiser: Literal["adam", "adamw", "sgd"] = Field("sgd", description="which optimiser")
    learning_rate: float = Field(0.025, gt=0, le=1000, description="learning rate at the start")
    weight_decay: float = Field(3e-4, ge=0, description="weight decay")
    schedule: Schedule = Field("cosine", description="how the learning rate goes on (DARTS' code)")
    final_learning_rate: float = Field(
        1e-3, ge=0, le=1000, description="where cosine ends (DARTS' code)"
    )
    clip: float | None = Field(5.0, gt=0, description="largest norm of the gradient (DARTS' code)")
    batch: int = Field(64, ge=1, description="utterances a batch (DARTS' code)")
