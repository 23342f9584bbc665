"""Options that every kind of system shares."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from emonas.learning.options import TrainingOptions
from emonas.options import LayerName, Options

REFIT = (
    "after the choice on validation, learn anew from training and validation part together; the "
    "validation predictions are then no longer of unheard utterances (ours)"
)
"""What `refit` does, for every kind of system."""

TOGETHER = 64
"""Utterances that are pooled or predicted at a time where no training says how many."""


class InputOptions(Options):
    """One input of a system: a feature, and of a feature with layers those that are read."""

    feature: str = Field(description="a name under `features`")
    layers: tuple[LayerName, ...] = Field(
        (), description="layers of the feature, a stream each; without it all that there are"
    )
    pool: int = Field(
        1, ge=1, description="average this many consecutive frames (ours, for small machines)"
    )
    statistics: bool = Field(
        False,
        description="mean and deviation over an utterance's frames, as one vector (ours)",
    )
    normalise: Literal["utterance", "none", "whiten"] | None = Field(
        None,
        description="utterance: standardise every utterance by mean and deviation of its own "
        "frames, before the system's own `normalise`; it takes away what stays the same, such as "
        "voice and room (ours); none: leave the feature as it is, whatever the system's own; "
        "whiten: of one vector an utterance, take away what varies together within the classes of "
        "the training part, over all inputs that say so, as linear discriminant analysis does "
        "(ours)",
    )

    @model_validator(mode="after")
    def _leaves_statistics_to_learn_from(self) -> "InputOptions":
        if self.statistics and self.normalise == "utterance":
            raise ValueError(
                f"{self.feature}: normalise: utterance makes every mean 0 and every deviation 1, "
                "so that `statistics` would tell nothing; leave one of them out"
            )
        return self


def _feature_by_name(value: Any) -> Any:
    return {"feature": value} if isinstance(value, str) else value


_ByName = BeforeValidator(_feature_by_name, json_schema_input_type=str | InputOptions)


class SystemOptions(Options):
    """A network and what it hears."""

    network: str = Field(description="the kind of system")
    inputs: tuple[Annotated[InputOptions, _ByName], ...] = Field(
        min_length=1, description="features, by name or with layers"
    )
    normalise: Literal["feature", "none"] = Field(
        "feature",
        description="standardise every feature by mean and deviation over all frames of the "
        "fold's training part (ours)",
    )

    @model_validator(mode="after")
    def _whitens_what_it_standardises(self) -> "SystemOptions":
        whitened = [entry.feature for entry in self.inputs if entry.normalise == "whiten"]
        if whitened and self.normalise != "feature":
            raise ValueError(
                f"inputs: {whitened[0]} is to be whitened, and the system's normalise is "
                f"{self.normalise}; whitening goes with normalise: feature"
            )
        return self

    @property
    def chooses(self) -> bool:
        """Whether anything of a training is chosen by the validation part, and that part alone."""
        return False

    @property
    def together(self) -> int:
        """Utterances that are predicted at a time."""
        return TOGETHER

    @property
    def longest(self) -> int | None:
        """The longest utterance in frames; what is behind is not heard. None for no limit."""
        return None

    @property
    def leaves_long_out(self) -> bool:
        """Whether a longer one is left out of what is learnt from."""
        return False

    def gated(self, names: tuple[str, ...]) -> tuple[str, ...]:
        """Those among the streams' names to which a gating network gives weights."""
        return ()


class TrainedOptions(SystemOptions):
    """A network that learns epoch by epoch; that of any other kind is solved at once."""

    training: TrainingOptions = Field(
        default_factory=TrainingOptions, description="how it is trained"
    )
    refit: bool = Field(
        False,
        description=REFIT
        + "; with `training.select: last` there is no choice, and it is trained once",
    )

    @model_validator(mode="after")
    def _refits_without_validation(self) -> "TrainedOptions":
        if self.refit and self.training.schedule == "plateau":
            raise ValueError(
                "refit trains without validation, and training.schedule: plateau goes by it; set "
                "it to constant or cosine"
            )
        return self

    @property
    def together(self) -> int:
        """As many as it is trained on at a time."""
        return self.training.batch

    @property
    def pieces(self) -> int:
        """Into how many pieces a batch is cut where it is learnt from."""
        return 1
