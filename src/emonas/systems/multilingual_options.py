"""Options that the systems of one and of several languages share (Multi-gating NAS)."""

from typing import Literal, NamedTuple

from pydantic import Field, model_validator

from emonas.learning.options import TrainingOptions
from emonas.options import Options
from emonas.systems.options import TrainedOptions

Activation = Literal["mish", "gelu", "tanh", "relu"]
Activations = tuple[Activation, Activation]


class MultilingualTraining(TrainingOptions):
    """How the systems are trained (5.1)."""

    epochs: int = Field(20, ge=1, description="passes over the training part")
    batch: int = Field(64, ge=2, description="utterances a batch, all of one domain (our reading)")
    optimiser: Literal["adam", "adamw", "sgd"] = Field("adamw", description="which optimiser")
    weight_decay: float = Field(1e-5, ge=0, description="weight decay")


class EncoderOptions(Options):
    """How a feature becomes a vector: frames by convolution, LSTM and attention."""

    channels: int = Field(64, ge=1, description="kernels of 3 frames, and as many of 5")
    hidden: int = Field(128, ge=1, description="width of the LSTM, in each direction")
    layers: int = Field(1, ge=1, description="stacked layers of the LSTM")
    between: tuple[int, ...] = Field(
        (),
        description="widths between a feature of one vector and `size`, such as 512 for BYOL "
        "(the authors' code); without, one linear map",
    )
    speaker: bool = Field(
        False,
        description="the feature is a waveform, which GE2E's own encoder turns into its vector of "
        "256 inside the system, and which is trained on",
    )
    rate: float = Field(
        1.0,
        gt=0,
        description="learning rate of the encoder as a multiple of the others' (5.1: 0.01 for "
        "GE2E)",
    )


class DomainOptions(Options):
    """What differs in one domain; what is left out is as in the system."""

    tower: int | None = Field(None, ge=1, description="width of the tower's layers")
    activations: Activations | None = Field(
        None, description="the activations behind the tower's layers, in turn"
    )
    contrastive: float | None = Field(
        None, ge=0, description="weight of the contrastive loss (alpha, eq. 6)"
    )


class DomainValues(NamedTuple):
    """What holds in a domain."""

    tower: int
    activations: Activations
    contrastive: float


class MultilingualOptions(TrainedOptions):
    """An encoder a feature, a tower a domain."""

    size: int = Field(
        256, ge=1, description="width of the vector that every sequence of frames becomes"
    )
    encoder: EncoderOptions = Field(
        default_factory=EncoderOptions, description="how features become vectors"
    )
    encoders: dict[str, EncoderOptions] = Field(
        default_factory=dict, description="the same for single features, by name"
    )
    tower: int = Field(256, ge=1, description="width of the tower's layers (256 is for English)")
    activations: Activations = Field(
        ("mish", "gelu"),
        description="the activations behind the tower's layers, in turn (those for English)",
    )
    tower_form: Literal["paper", "code"] = Field(
        "paper",
        description="paper: two layers of `tower`; code: three of twice, once and half of it, with "
        "batch normalisation (the authors' code)",
    )
    dropout: float = Field(0.1, ge=0, lt=1, description="dropout behind every layer of a tower")
    input_dropout: float = Field(0.0, ge=0, lt=1, description="dropout of what a tower sees (ours)")
    contrastive: float = Field(
        0.0, ge=0, description="weight of the contrastive loss (alpha, eq. 6); 0 leaves it out"
    )
    contrastive_own: bool = Field(
        True,
        description="whether an utterance counts in the centroid of its own emotion (eq. 4); the "
        "authors' code leaves it out",
    )
    domains: dict[str, DomainOptions] = Field(
        default_factory=dict, description="what differs by domain, such as `de`"
    )
    training: MultilingualTraining = Field(
        default_factory=MultilingualTraining, description="how it is trained"
    )

    @model_validator(mode="after")
    def _encodes_what_it_hears(self) -> "MultilingualOptions":
        heard = [entry.feature for entry in self.inputs]
        for feature in self.encoders:
            if feature not in heard:
                raise ValueError(f"encoders names {feature}, which is not among the inputs")
        for entry in self.inputs:
            own = self.encoder_of(entry.feature)
            as_it_is = (entry.normalise or self.normalise) == "none"
            if own.speaker and (not as_it_is or entry.pool > 1 or entry.statistics):
                raise ValueError(
                    f"encoders: {entry.feature} is heard by GE2E's encoder as it is; give the "
                    "input `normalise: none`, and no pool or statistics"
                )
        return self

    def encoder_of(self, stream: str) -> EncoderOptions:
        """How a stream, a feature or one of its layers, becomes a vector."""
        feature = stream.rpartition(".")[0]
        return self.encoders.get(stream) or self.encoders.get(feature) or self.encoder

    def of(self, domain: str) -> DomainValues:
        """What holds in a domain."""
        own = self.domains.get(domain, DomainOptions())
        return DomainValues(
            tower=self.tower if own.tower is None else own.tower,
            activations=own.activations or self.activations,
            contrastive=self.contrastive if own.contrastive is None else own.contrastive,
        )


class GatedOptions(MultilingualOptions):
    """Features weighed by a gating network (eq. 7)."""

    selector: str = Field(
        description="the input that decides the gates (x of eq. 7; GE2E in the paper); of a "
        "sequence its mean over frames (ours)"
    )
    gate: Literal["linear", "perceptron"] = Field(
        "linear", description="what scores the features; perceptron: the authors' code"
    )
    gate_selector: bool = Field(
        True,
        description="whether the selector is also one of the features that are weighed (our "
        "reading; not in figure 4)",
    )
    beside: bool = Field(
        False,
        description="set the selector's vector beside the weighed sum (the authors' code)",
    )

    @model_validator(mode="after")
    def _hears_the_selector(self) -> "GatedOptions":
        heard = [entry.feature for entry in self.inputs]
        if heard.count(self.selector) != 1:
            raise ValueError(
                f"selector: {self.selector} is to be named once among the inputs, which are "
                f"{', '.join(heard)}"
            )
        (entry,) = (entry for entry in self.inputs if entry.feature == self.selector)
        if len(entry.layers) > 1:
            raise ValueError(f"selector: {self.selector} has several layers; name one of them")
        if len(heard) == 1 and not self.gate_selector:
            raise ValueError("gate_selector: false leaves no feature to weigh; name more inputs")
        return self

    def gated(self, names: tuple[str, ...]) -> tuple[str, ...]:
        """Those among the streams' names to which a gating network gives weights."""
        if self.gate_selector:
            return names
        return tuple(name for name in names if not self.selects(name))

    def selects(self, name: str) -> bool:
        """Whether a stream of that name is the selector's."""
        return name == self.selector or name.rpartition(".")[0] == self.selector
