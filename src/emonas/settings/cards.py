"""What the report shows of the settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from emonas.report.plan import (
    CheckpointCard,
    CorpusCard,
    FeatureCard,
    ProtocolCard,
    ReportPlan,
    RunCard,
    Skipped,
    SystemCard,
    TranscriptCard,
    Unrecognised,
    Untransferred,
)

if TYPE_CHECKING:
    from emonas.settings.plan import Plan


_NORMALISED = {
    None: "",
    "utterance": " normalised by utterance",
    "none": " as it is",
    "whiten": " whitened",
}


def report_plan(plan: Plan, settings_file: str, command: str) -> ReportPlan:
    """The report's own view of the settings."""
    settings = plan.settings
    return ReportPlan(
        title=settings.title or "emonas",
        settings_file=settings_file,
        command=command,
        corpora={
            name: CorpusCard(reader=options.reader, synthetic=options.synthetic)
            for name, options in settings.corpora.items()
        },
        protocols={name: _protocol_card(plan, name) for name in settings.protocols},
        systems={name: _system_card(plan, name) for name in settings.systems},
        runs=[
            RunCard(protocol=protocol, systems=[system], seeds=list(range(seeds)))
            for (protocol, system), seeds in plan.runs.items()
        ],
        skipped=[Skipped(**entry) for entry in plan.skipped],
        untransferred=[Untransferred(**entry) for entry in plan.untransferred],
        tables=settings.tables,
        figures=settings.figures,
        **_heard_cards(plan),
        recognition=plan.recognised,
        measured=[
            (protocol, system)
            for protocol in plan.protocols
            for system in plan.measured_systems(protocol)
        ],
        unrecognised=[Unrecognised(**entry) for entry in plan.unrecognised],
    )


def _heard_cards(plan: Plan) -> dict[str, Any]:
    """Features that a run hears, what recognisers hear, and the weights of both; no others."""
    settings = plan.settings
    heard = dict.fromkeys(f for _, system in plan.runs for f in plan.features_of(system))
    features = {name: _feature_card(settings.features[name]) for name in heard}
    texts = dict.fromkeys(card.transcript for card in features.values() if card.transcript)
    texts |= dict.fromkeys(transcript for _, transcript in plan.recognised)
    transcripts = {
        name: TranscriptCard(
            recogniser=settings.transcripts[name].recogniser,
            checkpoint=settings.transcripts[name].checkpoint,
        )
        for name in texts
    }
    named = [card.checkpoint for card in features.values()]
    named += [card.checkpoint for card in transcripts.values()]
    trained = [name for _, system in plan.runs for name in plan.trained_of(system)]
    named += [getattr(settings.systems[name], "checkpoint", None) or "" for name in trained]
    weights = dict.fromkeys(filter(None, named))
    return {
        "features": features,
        "transcripts": transcripts,
        "checkpoints": {name: _checkpoint_card(settings.checkpoints[name]) for name in weights},
    }


def _feature_card(options: Any) -> FeatureCard:
    return FeatureCard(
        extractor=options.extractor,
        checkpoint=getattr(options, "checkpoint", ""),
        transcript=getattr(options, "transcript", None) or "",
    )


def _checkpoint_card(options: Any) -> CheckpointCard:
    """Weights as the settings know them; of a local path the last part, and no machine's folder."""
    local = "" if options.path is None else options.path.name
    return CheckpointCard(
        licence=options.licence,
        source=options.address or options.hub or options.file or local,
        pretrained_on=list(options.pretrained_on),
    )


def _protocol_card(plan: Plan, name: str) -> ProtocolCard:
    options = plan.settings.protocols[name]
    shown = ("corpora", "test", "validate", "allow", "domain", "transfer")
    values = options.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    return ProtocolCard(
        corpora=list(options.corpora),
        test=options.test,
        validation=options.validation,
        speaker_dependent=options.speaker_dependent,
        transfer=plan.transfers_of(name),
        allow=list(options.allow),
        domain=options.domain if options.has_domains else "",
        options={key: value for key, value in values.items() if key not in shown},
    )


def _system_card(plan: Plan, name: str) -> SystemCard:
    options = plan.settings.systems[name]
    values = options.model_dump(mode="json", exclude={"fuse", "network", "inputs"})
    if plan.is_fused(name):
        return SystemCard(kind="fusion", streams=list(options.fuse), options=values)
    tasks = getattr(options, "tasks", {})
    return SystemCard(
        network=options.network,
        inputs=[
            entry.feature
            + (f" {', '.join(entry.layers)}" if entry.layers else "")
            + (f" pooled by {entry.pool}" if entry.pool > 1 else "")
            + (" statistics" if entry.statistics else "")
            + _NORMALISED[entry.normalise]
            for entry in options.inputs
        ],
        search=plan.search_of(name).method if plan.is_searched(name) else "",
        searcher=plan.searcher_of(name) if plan.is_searched(name) else "",
        budget=(plan.budget_of(name) or "") if plan.is_searched(name) else "",
        shared_search=plan.uses_shared_search(name),
        retrain=not plan.tests_searched(name),
        checkpoint=getattr(options, "checkpoint", None) or "",
        start=plan.start_of(name) or "",
        tasks=list(tasks),
        unlearnt=[task for task, of in tasks.items() if of.adversarial],
        random_encoder=getattr(options, "random", None) is not None,
        options=values,
    )
