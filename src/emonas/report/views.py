"""What the page shows, made ready for the template: texts, tables and figures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from emonas.report import names
from emonas.report.audits import (
    CrossingLine,
    classes_table,
    crossing_lines,
    parts_table,
    unknown_speakers,
)
from emonas.report.comparisons import comparisons_table, too_few
from emonas.report.degenerate import degenerate_summary
from emonas.report.domains import domains_summary, domains_title
from emonas.report.gather import ProtocolResults
from emonas.report.labels import map_sentence, map_table
from emonas.report.pictures import Picture, picture
from emonas.report.plan import ReportPlan
from emonas.report.protocol_card import protocol_facts
from emonas.report.sections import Section, sections
from emonas.report.summary import folds_summary, systems_summary, transfer_warnings, warnings
from emonas.report.system_view import SystemView, system_anchor, system_view
from emonas.report.tables import Table
from emonas.report.transfers import transfer_summary, transfer_title
from emonas.report.verdicts import Verdict, verdicts
from emonas.storage.audit import Audit


@dataclass(frozen=True)
class TransferView:
    """What the models of a protocol reach on another corpus."""

    corpus: str
    anchor: str
    title: str
    synthetic: bool
    warnings: Sequence[str]
    sentence: str
    map: Table
    map_stem: str
    scores: Table
    stem: str


@dataclass(frozen=True)
class DomainsView:
    """What the systems of a protocol reach in each domain."""

    anchor: str
    title: str
    scores: Table
    stem: str


@dataclass(frozen=True)
class ProtocolView:
    """One protocol's section."""

    name: str
    anchor: str
    synthetic: bool
    speaker_dependent: bool
    warnings: Sequence[str]
    audit: Audit
    crossings: list[CrossingLine]
    unknown_speakers: str
    facts: list[tuple[str, str]]
    card_stem: str
    utterances_stem: str
    parts: Table
    parts_stem: str
    classes: Table
    classes_stem: str
    summary: Table
    summary_stem: str
    folds: Table
    folds_stem: str
    picture: Picture | None
    anchors: dict[str, str]
    fold_warnings: Sequence[str]
    verdicts: list[Verdict]
    sections: list[tuple[Section, Picture | None]]
    comparisons: Table
    comparisons_stem: str
    too_few: list[str]
    degenerate: list[str]
    domains: DomainsView | None
    transfers: list[TransferView]
    systems: list[SystemView]


def protocol_anchor(protocol: str) -> str:
    """The address of a protocol's section in the page."""
    return f"protocol-{protocol}"


def protocol_view(
    plan: ReportPlan,
    protocol: ProtocolResults,
    gathered: Mapping[str, ProtocolResults],
    folder: Path,
) -> ProtocolView:
    """Make the section of a protocol among all that are gathered; `folder` holds the figures that
    were drawn already.
    """
    name = protocol.name
    audit = protocol.audit
    return ProtocolView(
        name=name,
        anchor=protocol_anchor(name),
        synthetic=protocol.synthetic,
        speaker_dependent=protocol.speaker_dependent,
        warnings=warnings(protocol),
        audit=audit,
        crossings=crossing_lines(audit),
        unknown_speakers=unknown_speakers(audit),
        facts=protocol_facts(plan, protocol),
        card_stem=names.card_table(name),
        utterances_stem=names.utterances_table(name),
        parts=parts_table(audit),
        parts_stem=names.parts_table(name),
        classes=classes_table(audit),
        classes_stem=names.classes_table(name),
        summary=systems_summary(protocol),
        summary_stem=names.systems_table(name),
        folds=folds_summary(protocol),
        folds_stem=names.folds_table(name),
        picture=(
            picture(folder, names.systems_figure(name), f"UA by fold of the systems: {name}")
            if protocol.emotional
            else None
        ),
        fold_warnings=_fold_warnings(protocol),
        anchors={system: system_anchor(name, system) for system in protocol.systems},
        verdicts=verdicts(protocol),
        sections=[
            (section, picture(folder, section.figure, section.shows) if section.figure else None)
            for section in sections(plan, protocol, gathered)
        ],
        comparisons=comparisons_table(protocol),
        comparisons_stem=names.comparisons_table(name),
        too_few=list(too_few(protocol.comparisons.pairs)),
        degenerate=degenerate_summary(protocol),
        domains=_domains_view(protocol) if protocol.domains else None,
        transfers=[_transfer_view(protocol, corpus) for corpus in protocol.transfers],
        systems=[system_view(protocol, system, folder) for system in protocol.systems.values()],
    )


def _fold_warnings(protocol: ProtocolResults) -> Sequence[str]:
    """What must stand where the scores of folds do, within and on other corpora."""
    across = (transfer_warnings(protocol, corpus) for corpus in protocol.transfers)
    return tuple(
        dict.fromkeys((*warnings(protocol), *(text for found in across for text in found)))
    )


def _domains_view(protocol: ProtocolResults) -> DomainsView:
    return DomainsView(
        anchor=f"domains-{protocol.name}",
        title=domains_title(protocol),
        scores=domains_summary(protocol),
        stem=names.domains_table(protocol.name),
    )


def _transfer_view(protocol: ProtocolResults, corpus: str) -> TransferView:
    audit = protocol.audit.transfer[corpus]
    return TransferView(
        corpus=corpus,
        anchor=f"transfer-{protocol.name}-{corpus}",
        title=transfer_title(protocol, corpus),
        synthetic=protocol.is_synthetic_on(corpus),
        warnings=transfer_warnings(protocol, corpus),
        sentence=map_sentence(audit, corpus),
        map=map_table(audit, corpus),
        map_stem=names.map_table(protocol.name, corpus),
        scores=transfer_summary(protocol, corpus),
        stem=names.transfer_table(protocol.name, corpus),
    )
