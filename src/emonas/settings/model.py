"""The whole settings file as one pydantic model."""

from functools import cache, reduce
from operator import or_
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, StringConstraints, Tag, create_model

from emonas.checkpoints.options import CheckpointOptions
from emonas.fuse.options import FusionOptions
from emonas.kinds import Family, all_kinds
from emonas.learning.options import RuntimeOptions
from emonas.options import Options
from emonas.protocols.options import ProtocolOptions
from emonas.report.figure_kinds import AnyFigureOptions
from emonas.report.options import TableOptions

FUSION = "fusion"
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$", max_length=100)]
"""Names become folders: letters, digits, dots, hyphens and underscores."""


class RecognitionOptions(Options):
    """Transcripts that are held against what was said."""

    transcript: str = Field(description="a name under `transcripts`")
    corpora: tuple[str, ...] = Field(min_length=1, description="names under `corpora`")


class RunOptions(Options):
    """Systems that are trained and tested under a protocol."""

    protocol: str = Field(description="a name under `protocols`")
    systems: tuple[str, ...] = Field(min_length=1, description="names under `systems`")
    seeds: int = Field(1, ge=1, le=1000, description="how many seeds: 0, 1, ...")
    inflation: bool = Field(
        False,
        description="whether every training that is no fusion's is repeated under habits that "
        "inflate scores (the best epoch on the test part, a scaler over all data), to show what "
        "they add",
    )


def _union(family: Family) -> Any:
    """The options of all kinds of a family, told apart by the key of that name."""
    options = [module.Options for module in all_kinds(family).values()]
    return Annotated[reduce(or_, options), Field(discriminator=family)]


def _system_kind(value: Any) -> str | None:
    if isinstance(value, dict):
        return FUSION if "fuse" in value else value.get("network")
    return FUSION if isinstance(value, FusionOptions) else getattr(value, "network", None)


def _systems() -> Any:
    """Every kind of system, those that are built from a genotype with their `search`."""
    searches: Any = Annotated[
        _union("method") | Name | None,
        Field(
            description="how it is found; or the name of another system, whose search's genotypes "
            "it is trained with"
        ),
    ]
    tagged: list[Any] = [Annotated[FusionOptions, Tag(FUSION)]]
    for name, module in all_kinds("network").items():
        options = module.Options
        if hasattr(module, "build_searched"):
            fields: dict[str, Any] = {"search": (searches, None)}
            options = create_model(f"{name.title()}System", __base__=options, **fields)
        tagged.append(Annotated[options, Tag(name)])
    return Annotated[reduce(or_, tagged), Discriminator(_system_kind)]


class SettingsBase(Options):
    """What the settings hold besides the kinds that are found by their modules."""

    title: str = Field("", description="a line that the report begins with")
    protocols: dict[Name, ProtocolOptions] = Field(description="who is tested on whom, by name")
    checkpoints: dict[Name, CheckpointOptions] = Field(
        default_factory=dict, description="pretrained weights, by name"
    )
    runs: tuple[RunOptions, ...] = Field(min_length=1, description="what is run")
    leave_out: dict[Name, tuple[str, ...]] = Field(
        default_factory=dict,
        description="systems by protocol that are not run, nor what leans on them: their fusions, "
        "later stages, and rivals at the budget of their search. For a report of all others where "
        "these failed, which says so; what is made stays",
    )
    recognition: tuple[RecognitionOptions, ...] = Field(
        (), description="word and character error rates that the report shows"
    )
    tables: dict[Name, TableOptions] = Field(
        default_factory=dict, description="tables of a paper, published beside own figures"
    )
    figures: dict[Name, AnyFigureOptions] = Field(
        default_factory=dict, description="figures of a paper, drawn with own results"
    )
    runtime: RuntimeOptions = Field(
        default_factory=RuntimeOptions, description="device and threads"
    )
    roots: dict[Name, str] = Field(
        default_factory=dict,
        description="roots of corpora by name, for `--config`; they go before `root`",
    )
    keep: Literal["all", "best", "none"] = Field(
        "all",
        description="weights that stay: all; best: of every system under a protocol those of the "
        "seed and fold with the highest validation UA, as results/evaluate/PROTOCOL/SYSTEM/"
        "best.safetensors; or none. The others go as soon as no job of the run needs them; a later "
        "run that does needs their training again. none also leaves no state of unfinished "
        "searches and trainings: after a kill they begin anew",
    )
    speed: bool = Field(
        False,
        description="measure how fast every system hears ten seconds of speech, from the recording "
        "to the answer, and in how much memory, on this machine's processor and its GPU, if any; "
        "the report then shows accuracy against cost",
    )
    forecast: bool = Field(
        False, description="say before a run how many jobs and hours it will take"
    )
    preload: bool = Field(
        True,
        description="load libraries once a run, on a cluster once a submission, and not once a "
        "job, where there is no GPU; the results are the same (docs/performance.md)",
    )


@cache
def settings_model() -> type[SettingsBase]:
    """The model of a settings file."""
    parts: dict[str, tuple[Any, str]] = {
        "corpora": (_union("reader"), "what was said, by name"),
        "features": (_union("extractor"), "how it sounds, by name"),
        "systems": (_systems(), "what learns, by name"),
    }
    fields: dict[str, Any] = {
        name: (dict[Name, kind], Field(description=text))  # type: ignore[valid-type]
        for name, (kind, text) in parts.items()
    }
    fields["transcripts"] = (
        dict[Name, _union("recogniser")],  # type: ignore[misc]
        Field(default_factory=dict, description="what a recogniser hears, by name"),
    )
    return create_model(
        "Settings", __base__=SettingsBase, __doc__="All that a settings file holds.", **fields
    )
