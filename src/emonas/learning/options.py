"""Options of training that every network shares; its kind of system gives the defaults."""

from typing import Literal

from pydantic import Field

from emonas.options import Options

Selection = Literal["validation_loss", "validation_ua", "validation_wa", "last"]
Schedule = Literal["constant", "cosine", "plateau"]


class TrainingOptions(Options):
    """How a network is trained."""

    epochs: int = Field(50, ge=1, description="passes over the training part")
    batch: int = Field(32, ge=1, description="utterances a batch (ours; no paper names it)")
    optimiser: Literal["adam", "adamw", "sgd"] = Field("adam", description="which optimiser")
    learning_rate: float = Field(1e-3, gt=0, le=1000, description="learning rate at the start")
    momentum: float = Field(0.9, ge=0, lt=1, description="momentum of sgd")
    weight_decay: float = Field(0.0, ge=0, description="weight decay")
    schedule: Schedule = Field(
        "constant", description="how the learning rate goes on, epoch by epoch"
    )
    final_learning_rate: float = Field(0.0, ge=0, le=1000, description="where cosine ends")
    plateau_epochs: int = Field(
        10,
        ge=1,
        description="plateau: the learning rate is halved after so many epochs in a row without "
        "a lower validation loss (CTA-RNN)",
    )
    clip: float | None = Field(None, gt=0, description="largest norm of the gradient")
    class_weights: bool = Field(
        False, description="weigh the loss by the inverse class counts of the training part (ours)"
    )
    label_smoothing: float = Field(0.0, ge=0, lt=1, description="label smoothing (ours)")
    mask_time: float = Field(
        0.0, ge=0, le=1, description="largest share of an utterance's frames set to 0 (ours)"
    )
    mask_features: float = Field(
        0.0, ge=0, le=1, description="largest share of the features set to 0 (ours)"
    )
    select: Selection = Field(
        "validation_ua", description="which epoch is kept: the best by this figure, or the last"
    )
    patience: int | None = Field(
        None, ge=1, description="stop after so many epochs without a better one"
    )
    by_length: bool = Field(
        False,
        description="utterances of like length come into one batch, which saves padding (ours)",
    )
    precision: Literal["full", "mixed"] = Field(
        "full",
        description="mixed: compute in bfloat16 where torch's autocast holds it for safe, and keep "
        "weights, losses and the optimiser in float32",
    )


class RuntimeOptions(Options):
    """Where a job computes; both change the bits of a result."""

    device: Literal["auto", "cpu", "cuda"] = Field(
        "auto", description="auto takes a GPU where there is one"
    )
    torch_threads: int = Field(
        1, ge=1, description="threads inside torch; Snakemake's --cores says how many jobs"
    )
