"""Options of systems whose pretrained encoder is trained (Two-stage fine-tuning of wav2vec 2.0)."""

from typing import Annotated, ClassVar, Literal

from pydantic import BeforeValidator, Field, model_validator

from emonas.learning.options import Selection, TrainingOptions
from emonas.options import Options
from emonas.packages import missing_package
from emonas.storage.predictions import ASR, EMOTION
from emonas.systems.options import TrainedOptions
from emonas.systems.task_options import Task, TaskOptions, Tasks, tasks_by_name

RATE = 16000
"""Samples a second of the waveform that all of these encoders hear."""


class RandomEncoder(Options):
    """The sizes of an encoder of random weights; as released (base) by default."""

    layers: int = Field(12, ge=1, description="transformer blocks")
    width: int = Field(768, ge=16, multiple_of=16, description="features a frame")
    heads: int = Field(12, ge=1, description="heads of attention; they divide the width")
    feed_forward: int = Field(3072, ge=1, description="width inside a block")
    channels: int = Field(512, ge=1, description="channels of the convolutions, where it has such")

    @model_validator(mode="after")
    def _divides(self) -> "RandomEncoder":
        if self.width % self.heads:
            raise ValueError(f"width: {self.width} is no multiple of the {self.heads} heads")
        return self


class TunedTraining(TrainingOptions):
    """Training as in section 3.2; what the paper does not say is marked."""

    epochs: int = Field(100, ge=1, description="passes over the training part")
    batch: int = Field(16, ge=1, description="utterances a batch")
    learning_rate: float = Field(
        1e-4, gt=0, le=1000, description="learning rate (10e-5, our reading)"
    )
    select: Selection = Field(
        "validation_loss",
        description="which epoch is kept: the best by this figure, or the last (ours); the loss "
        "is that of emotion, or of all tasks together where emotion is none of them",
    )
    pieces: int = Field(
        1,
        ge=1,
        description="compute a batch in so many pieces and add up their gradients, weighed by "
        "their utterances: the memory of a piece, the step of the batch (gradient accumulation); "
        "of tasks whose answer is not known of all utterances nearly so",
    )

    @model_validator(mode="after")
    def _weighs_in_one_piece(self) -> "TunedTraining":
        if self.pieces > 1 and self.class_weights:
            raise ValueError(
                "pieces and class_weights: a piece's weighed mean is not that of the batch; leave "
                "one of them out"
            )
        return self


class TunedOptions(TrainedOptions):
    """An encoder of the waveform under the heads of one task or several.

    Attributes:
        package: the package that builds the encoder.
        extra: the extra of emonas that installs it.
    """

    package: ClassVar[str] = "transformers"
    extra: ClassVar[str] = "transformers"

    normalise: Literal["none"] = Field(
        "none", description="the encoder normalises an utterance as it was trained to"
    )
    checkpoint: str | None = Field(None, description="a name under `checkpoints`: its weights")
    random: RandomEncoder | None = Field(
        None, description="random weights in the place of a checkpoint, in these sizes"
    )
    start: str | None = Field(
        None,
        description="another system of the same run, such as a first stage: its encoder, and the "
        "heads of tasks that both have, as they were trained on the same fold with the same seed",
    )
    tasks: Annotated[
        Tasks,
        BeforeValidator(
            tasks_by_name,
            json_schema_input_type=dict[Task, TaskOptions | float] | tuple[Task, ...],
        ),
    ] = Field(
        {"emotion": TaskOptions()},
        min_length=1,
        validate_default=True,
        description="what is learnt: a list of emotion, asr, gender and style, or options by task",
    )
    auxiliary: float = Field(
        0.1, gt=0, lt=1, description="weight of the tasks beside emotion (alpha and gamma)"
    )
    weighing: Literal["shared", "literal"] = Field(
        "shared",
        description="shared: emotion has 1 - auxiliary, the others share it; literal: eqs. 1 and 2 "
        "with alpha = gamma = auxiliary, in which emotion has it and the others the rest",
    )
    reversal: float = Field(
        1.0, gt=0, description="the constant of the gradient reversal layer (our reading)"
    )
    freeze: int = Field(
        0,
        ge=0,
        description="so many of the lowest blocks keep their weights (m), and all below them; the "
        "convolutions always do",
    )
    skip: int | None = Field(
        None,
        ge=1,
        description="gender is told from the output of this block beside that of the last (m of "
        "the skip connection, 2.3)",
    )
    dropout: float = Field(0.1, ge=0, lt=1, description="dropout before the linear layers (ours)")
    characters: str | None = Field(
        None,
        min_length=1,
        description="the characters that asr spells with; without it those of the training part's "
        "texts (ours)",
    )
    longest_seconds: float = Field(
        20.0, ge=0.1, description="the longest utterance that memory is to hold (ours)"
    )
    too_long: Literal["cut", "skip"] = Field(
        "cut",
        description="what becomes of a longer one: cut to that, or left out of training (ours); "
        "what is predicted is cut either way",
    )
    recompute: bool = Field(
        False,
        description="compute the blocks once more in the backward pass, which takes time and "
        "saves memory (gradient checkpointing)",
    )
    training: TunedTraining = Field(default_factory=TunedTraining, description="how it is trained")

    @model_validator(mode="after")
    def _begins_with_one_encoder(self) -> "TunedOptions":
        if (self.checkpoint is None) == (self.random is None):
            raise ValueError("give either a `checkpoint` or the sizes of a `random` encoder")
        return self

    @model_validator(mode="after")
    def _weighs_all_or_none(self) -> "TunedOptions":
        own = [task for task, options in self.tasks.items() if options.weight is not None]
        if own and len(own) < len(self.tasks):
            missing = next(task for task in self.tasks if task not in own)
            raise ValueError(f"tasks.{missing}.weight is missing; give every task one, or none")
        return self

    @model_validator(mode="after")
    def _reverses_what_it_can(self) -> "TunedOptions":
        for task, options in self.tasks.items():
            if options.adversarial and task in (EMOTION, ASR):
                raise ValueError(
                    f"tasks.{task}.adversarial: gender and style can be adversarial, {task} can't"
                )
        if all(options.adversarial for options in self.tasks.values()):
            raise ValueError("tasks: all are adversarial, so that nothing is learnt; add one")
        return self

    @model_validator(mode="after")
    def _uses_what_it_says(self) -> "TunedOptions":
        if self.skip is not None and "gender" not in self.tasks:
            raise ValueError("skip is for the task gender; add it, or leave skip out")
        if self.characters is not None and ASR not in self.tasks:
            raise ValueError("characters are for the task asr; add it, or leave them out")
        if self._differs("reversal") and not self.adversarial:
            raise ValueError("reversal is for an adversarial task, and none is; leave it out")
        if any(options.weight is not None for options in self.tasks.values()):
            for key in ("auxiliary", "weighing"):
                if self._differs(key):
                    raise ValueError(f"{key}: the tasks have weights of their own; leave it out")
        return self

    @model_validator(mode="after")
    def _trains_what_it_has(self) -> "TunedOptions":
        training = self.training
        if EMOTION not in self.tasks and (training.class_weights or training.label_smoothing):
            raise ValueError(
                "training: class_weights and label_smoothing are for the task emotion, which is "
                "not learnt here; leave them out"
            )
        if training.mask_features:
            raise ValueError("training.mask_features: a waveform has one feature; use mask_time")
        return self

    @model_validator(mode="after")
    def _has_the_blocks_it_names(self) -> "TunedOptions":
        for key in ("freeze", "skip"):
            asked = getattr(self, key)
            if self.random is not None and asked is not None and asked > self.random.layers:
                raise ValueError(
                    f"{key} is {asked}, and the random encoder has {self.random.layers} blocks; "
                    "give a number up to that"
                )
        return self

    @model_validator(mode="after")
    def _spells_as_texts_are_learnt(self) -> "TunedOptions":
        if self.characters is not None and self.characters != self.characters.casefold():
            raise ValueError(
                "characters: texts are learnt case folded, so that capitals stand in none; give "
                "small letters"
            )
        return self

    @model_validator(mode="after")
    def _chooses_by_what_it_learns(self) -> "TunedOptions":
        select = self.training.select
        if EMOTION not in self.tasks and select in ("validation_ua", "validation_wa"):
            raise ValueError(
                f"training.select: {select} is that of the emotions, and emotion is no task here; "
                "set it to validation_loss or last"
            )
        return self

    @property
    def missing(self) -> str:
        """Which package is missing that it needs; empty where none is."""
        return missing_package(self.package, self.extra)

    def _differs(self, key: str) -> bool:
        """Whether an option is not as it is without being given."""
        return bool(getattr(self, key) != type(self).model_fields[key].default)

    @property
    def adversarial(self) -> tuple[Task, ...]:
        """The adversarial tasks."""
        return tuple(task for task, options in self.tasks.items() if options.adversarial)

    @property
    def sizes(self) -> RandomEncoder:
        """Those of an encoder of random weights."""
        return self.random or RandomEncoder()

    @property
    def pieces(self) -> int:
        """Into how many pieces a batch is cut where it is learnt from."""
        return self.training.pieces

    @property
    def longest(self) -> int:
        """The longest utterance, in samples."""
        return round(self.longest_seconds * RATE)

    @property
    def leaves_long_out(self) -> bool:
        """Whether a longer one is left out of training."""
        return self.too_long == "skip"
