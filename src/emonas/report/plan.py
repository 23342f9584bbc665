"""What the report is about: the settings, as far as a reader needs them."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from emonas.report.figure_kinds import AnyFigureOptions
from emonas.report.options import TableOptions
from emonas.storage.predictions import EMOTION


class _Card(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=())


class CorpusCard(_Card):
    """A corpus: how it is read, and whether its speech is synthetic."""

    reader: str
    synthetic: bool = False


class ProtocolCard(_Card):
    """A protocol: what is held out for test and for validation, the other corpora that its models
    are tested on (those that are there), what may cross, what the domain of an utterance is
    (empty where there are none), and the rest of its options (labels, merge, style, limit, ...) as
    they stand in the settings.
    """

    corpora: list[str]
    test: str
    validation: str
    speaker_dependent: bool = False
    transfer: list[str] = Field(default_factory=list)
    allow: list[str] = Field(default_factory=list)
    domain: str = ""
    options: dict[str, Any] = Field(default_factory=dict)


class CheckpointCard(_Card):
    """Pretrained weights: their licence, where they come from, what they were trained on."""

    licence: str = ""
    source: str = ""
    pretrained_on: list[str] = Field(default_factory=list)


class FeatureCard(_Card):
    """A feature, with the checkpoint and the transcript that it needs, if any."""

    extractor: str
    checkpoint: str = ""
    transcript: str = ""


class TranscriptCard(_Card):
    """What a recogniser hears, and the checkpoint that it needs."""

    recogniser: str
    checkpoint: str = ""


class SystemCard(_Card):
    """A system: a network with its inputs and search, or a fusion of streams.

    An input is a feature's name, and behind a space its layers where some are chosen. `searcher` is
    the system whose search found the genotypes, `budget` the one whose search says how much its own
    may compute, `checkpoint` the weights that it trains on itself,
    `start` the system that it starts from, and `random_encoder` says that its encoder is of random
    weights; `tasks` are those that it learns, none for a kind that knows emotion alone, and
    `unlearnt` the adversarial ones among them.
    """

    kind: Literal["network", "fusion"] = "network"
    network: str = ""
    inputs: list[str] = Field(default_factory=list)
    streams: list[str] = Field(default_factory=list)
    search: str = ""
    searcher: str = ""
    budget: str = ""
    shared_search: bool = False
    retrain: bool = True
    checkpoint: str = ""
    start: str = ""
    random_encoder: bool = False
    tasks: list[str] = Field(default_factory=list)
    unlearnt: list[str] = Field(default_factory=list)
    options: dict[str, Any] = Field(default_factory=dict)

    @property
    def tells_emotions(self) -> bool:
        """Whether emotion is what it learns, alone or among other tasks."""
        return not self.tasks or EMOTION in self.tasks

    @property
    def draws_cells(self) -> bool:
        """Whether a search gives a genotype with cells to draw."""
        return bool(self.search)

    def draws_alphas(self, name: str) -> bool:
        """Whether a search of its own weighs candidate operations, `name` being the system's."""
        return self.search == "darts" and self.searcher in ("", name)

    @property
    def features(self) -> list[str]:
        """The features among the inputs, each once."""
        return list(dict.fromkeys(entry.partition(" ")[0] for entry in self.inputs))


class RunCard(_Card):
    """Systems that were run under a protocol with the same seeds."""

    protocol: str
    systems: list[str]
    seeds: list[int]


class Skipped(_Card):
    """Systems that were not run under a protocol, and why."""

    protocol: str
    systems: list[str]
    reason: str


class Untransferred(_Card):
    """Another corpus that the models of a protocol could not be tested on, and why."""

    protocol: str
    corpus: str
    reason: str


class Unrecognised(_Card):
    """A transcript whose error rates on a corpus could not be had, and why."""

    corpus: str
    transcript: str
    reason: str


class ReportPlan(_Card):
    """Everything that the report takes from the settings; the figures come from `results`.

    `recognition` are pairs of a corpus and a transcript whose error rates are shown; `measured` are
    pairs of a protocol and a system whose speed was measured.
    """

    title: str
    settings_file: str
    command: str
    corpora: dict[str, CorpusCard]
    protocols: dict[str, ProtocolCard]
    systems: dict[str, SystemCard]
    runs: list[RunCard]
    skipped: list[Skipped] = Field(default_factory=list)
    untransferred: list[Untransferred] = Field(default_factory=list)
    tables: dict[str, TableOptions] = Field(default_factory=dict)
    figures: dict[str, AnyFigureOptions] = Field(default_factory=dict)
    checkpoints: dict[str, CheckpointCard] = Field(default_factory=dict)
    features: dict[str, FeatureCard] = Field(default_factory=dict)
    transcripts: dict[str, TranscriptCard] = Field(default_factory=dict)
    recognition: list[tuple[str, str]] = Field(default_factory=list)
    measured: list[tuple[str, str]] = Field(default_factory=list)
    unrecognised: list[Unrecognised] = Field(default_factory=list)

    def run_protocols(self) -> list[str]:
        """The protocols that were run, in the order of the runs, each once."""
        return list(dict.fromkeys(run.protocol for run in self.runs))

    def run_systems(self, protocol: str) -> dict[str, list[int]]:
        """The systems that were run under a protocol, with their seeds, in the runs' order."""
        seeds: dict[str, list[int]] = {}
        for run in self.runs:
            if run.protocol == protocol:
                for system in run.systems:
                    seeds[system] = sorted({*seeds.get(system, []), *run.seeds})
        return seeds

    def is_synthetic(self, protocol: str) -> bool:
        """Whether any speech of the protocol is synthetic."""
        return any(self.corpora[name].synthetic for name in self.protocols[protocol].corpora)
