"""The options of one protocol: who is tested on whom, and what a class is."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, ConfigDict, Field, model_validator

from emonas.options import Options

Test = Literal["speaker", "session", "groups", "random", "list"]
Validation = Literal["speaker", "partner", "session", "group", "random", "none"]
Crossing = Literal["speaker", "session", "text", "audio"]

_DEFAULT_VALIDATION: Mapping[str, Validation] = {
    "speaker": "speaker",
    "session": "session",
    "groups": "group",
    "random": "random",
    "list": "none",
}
_MATCHING: dict[Test, tuple[Validation, ...]] = {
    "speaker": ("speaker", "partner", "session", "random", "none"),
    "session": ("speaker", "session", "random", "none"),
    "groups": ("speaker", "session", "group", "random", "none"),
    "random": ("random", "none"),
    "list": ("none",),
}


def _as_names(value: object) -> object:
    return (value,) if isinstance(value, str) else value


Names = Annotated[
    tuple[str, ...],
    BeforeValidator(_as_names, json_schema_input_type=str | tuple[str, ...]),
]


class TransferOptions(Options):
    """Another corpus, on the whole of which the model of every fold is tested."""

    map: dict[str, str] = Field(
        default_factory=dict,
        description="its emotions and the class that each counts as, as `{excited: happy}`; an "
        "emotion that is not named here counts as the class of its own name, if there is one",
    )
    style: Names = Field((), description="only these speaking styles")
    language: Names = Field((), description="only these languages")
    gender: Names = Field((), description="only these genders")
    limit: int | None = Field(
        None, ge=1, description="utterances a class, spread over speakers: a first look"
    )


def _by_corpus(value: object) -> object:
    if isinstance(value, str):
        return {value: {}}
    if isinstance(value, dict):
        return {name: {} if options is None else options for name, options in value.items()}
    if not isinstance(value, list | tuple):
        return value
    if others := [name for name in value if not isinstance(name, str)]:
        raise ValueError(f"transfer names corpora, and {others[0]!r} is no name")
    if doubles := [name for name in value if value.count(name) > 1]:
        raise ValueError(f"transfer names {doubles[0]} twice")
    return {name: {} for name in value}


class ProtocolOptions(Options):
    """Options of a protocol; labels, merges and filters belong to it."""

    model_config = ConfigDict(populate_by_name=True)

    corpora: Names = Field(min_length=1, description="the corpora that are pooled")
    test: Test = Field(
        description="what a fold tests: `speaker` (leave one speaker out), `session`, `groups` of "
        "speakers, `random` (repeated stratified random: speaker-dependent), a given `list`"
    )
    validation: Validation = Field(
        "speaker",
        alias="validate",
        description="what validates: another `speaker`, the `partner` of the tested speaker's "
        "session (EmotionNAS), the next `session` or `group`, a `random` share of the rest "
        "(speaker-dependent), or `none`; left out, it follows the test: speaker, session, group, "
        "random, and for a list what the list says",
    )
    swap: bool = Field(
        True,
        description="with `validate: partner`, both speakers of a session are tested in turn "
        "(10 folds of IEMOCAP); else the first by name (5 folds)",
    )
    groups: int | None = Field(
        None, ge=2, description="into how many groups the speakers go, balanced by gender"
    )
    repeats: int = Field(5, ge=1, description="how many random splits are drawn (our choice)")
    first: int = Field(0, ge=0, description="number of the first random split")
    share: float = Field(
        0.2, gt=0, lt=1, description="share of a class that a random split tests (Multi-gating NAS)"
    )
    validation_share: float = Field(
        0.2,
        gt=0,
        lt=1,
        description="share of the rest that a random validation takes (Multi-gating NAS)",
    )
    seed: int = Field(0, ge=0, description="seed of every draw of the protocol")
    labels: Names | None = Field(
        None, min_length=2, description="the classes, after merging; none given: all there are"
    )
    labels_of: dict[str, Names] = Field(
        default_factory=dict,
        description="the classes of single corpora, where they are fewer: `{iemocap: [happy, "
        "sad]}`; others of their utterances are left out",
    )
    merge: dict[str, str] = Field(
        default_factory=dict, description="emotions counted as another, as `{excited: happy}`"
    )
    style: Names = Field((), description="only these speaking styles, as `improvised`")
    language: Names = Field((), description="only these languages")
    gender: Names = Field((), description="only these genders")
    transfer: Annotated[
        dict[str, TransferOptions],
        BeforeValidator(
            _by_corpus, json_schema_input_type=dict[str, TransferOptions] | tuple[str, ...] | str
        ),
    ] = Field(
        default_factory=dict,
        description="other corpora that every fold's model is tested on, by name: one, a list, or "
        "each with its own options",
    )
    allow: tuple[Crossing, ...] = Field(
        (), description="what may cross between the parts of a fold; anything else stops the run"
    )
    domain: Literal["none", "corpus", "language"] = Field(
        "none", description="what the domain of an utterance is"
    )
    limit: int | None = Field(
        None, ge=1, description="utterances a class and corpus, spread over speakers: a first look"
    )
    listed: Path | None = Field(
        None, alias="list", description="a CSV with the columns utterance, fold, part[, corpus]"
    )

    @model_validator(mode="before")
    @classmethod
    def _validation_follows_test(cls, data: object) -> object:
        if isinstance(data, dict) and not {"validate", "validation"} & data.keys():
            test = data.get("test")
            if isinstance(test, str) and test in _DEFAULT_VALIDATION:
                return {**data, "validate": _DEFAULT_VALIDATION[test]}
        return data

    @model_validator(mode="after")
    def _options_fit_the_test(self) -> "ProtocolOptions":
        if self.validation not in _MATCHING[self.test]:
            fitting = ", ".join(_MATCHING[self.test])
            raise ValueError(
                f"validate: {self.validation} does not go with test: {self.test}; choose {fitting}"
            )
        if not self.swap and self.validation != "partner":
            raise ValueError("swap: false needs validate: partner")
        if self.first and self.test != "random":
            raise ValueError("first needs test: random")
        for key, value, test in (("groups", self.groups, "groups"), ("list", self.listed, "list")):
            if value is None and self.test == test:
                raise ValueError(f"test: {test} needs the key {key}")
            if value is not None and self.test != test:
                raise ValueError(f"{key} needs test: {test}")
        return self

    @model_validator(mode="after")
    def _names_make_sense(self) -> "ProtocolOptions":
        for key in ("corpora", "labels"):
            names = getattr(self, key) or ()
            if doubles := [name for name in names if names.count(name) > 1]:
                raise ValueError(f"{key} names {doubles[0]} twice")
        for source, target in self.merge.items():
            if self.labels is not None and target not in self.labels:
                raise ValueError(f"merge turns {source} into {target}, which labels does not name")
            if self.labels is not None and source in self.labels and source != target:
                raise ValueError(f"labels names {source}, which merge turns into {target}")
        return self

    @model_validator(mode="after")
    def _labels_of_its_corpora(self) -> "ProtocolOptions":
        for corpus, labels in self.labels_of.items():
            if corpus not in self.corpora:
                raise ValueError(
                    f"labels_of names {corpus}, which is no corpus of the protocol; there are "
                    f"{', '.join(self.corpora)}"
                )
            for label in labels:
                if self.labels is not None and label not in self.labels:
                    raise ValueError(
                        f"labels_of.{corpus} names {label}, which labels does not name"
                    )
        return self

    @model_validator(mode="after")
    def _transfers_elsewhere(self) -> "ProtocolOptions":
        for corpus, options in self.transfer.items():
            if corpus in self.corpora:
                raise ValueError(
                    f"transfer names {corpus}, which is a corpus of the protocol itself"
                )
            for source, target in options.map.items():
                if self.labels is not None and target not in self.labels:
                    raise ValueError(
                        f"transfer.{corpus}.map turns {source} into {target}, which is no class; "
                        f"the classes are {', '.join(self.labels)}"
                    )
        return self

    @property
    def speaker_dependent(self) -> bool:
        """Whether test speakers are in training by declaration."""
        return self.test == "random"

    @property
    def has_domains(self) -> bool:
        """Whether an utterance has a domain."""
        return self.domain != "none"

    @property
    def pooled(self) -> bool:
        """Whether the mean of a metric is that of the pooled test predictions of all folds."""
        return self.test == "speaker" and self.validation != "partner"

    @property
    def speaker_dependent_validation(self) -> bool:
        """Whether validation speakers are in training by declaration."""
        return self.validation == "random"

    def may_be_empty(self, part: str) -> bool:
        """Whether a fold can do without the part: validation, where nothing validates."""
        return part == "validation" and self.validation == "none"
