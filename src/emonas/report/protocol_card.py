"""The card of a protocol: everything that a reviewer asks about who was tested on whom."""

from collections.abc import Iterator

from emonas.report.audits import crossing_lines, unknown_speakers
from emonas.report.encoders import heard_checkpoints, is_pretrained_on
from emonas.report.gather import ProtocolResults
from emonas.report.plan import ReportPlan
from emonas.report.summary import warnings
from emonas.report.tables import Column, Table
from emonas.report.words import listed, option_pairs
from emonas.storage.audit import PartCounts
from emonas.storage.folds import PARTS


def protocol_facts(plan: ReportPlan, protocol: ProtocolResults) -> list[tuple[str, str]]:
    """What the settings say of a protocol, in words."""
    card = plan.protocols[protocol.name]
    domains = f" ({listed(protocol.domains)})" if protocol.domains else ""
    facts = [
        ("Corpora", ", ".join(_corpus(plan, corpus) for corpus in card.corpora)),
        ("Tested in turn", card.test),
        ("Validates", card.validation),
        ("May cross", listed(card.allow) or "nothing"),
        ("Classes", ", ".join(protocol.audit.labels)),
        ("Domains", f"by {protocol.domain}{domains}" if protocol.domain else ""),
        ("Also tested on", listed(protocol.transfers)),
        *((key.replace("_", " "), text) for key, text in option_pairs(card.options)),
    ]
    return [(key, text) for key, text in facts if text]


def _corpus(plan: ReportPlan, corpus: str) -> str:
    return f"{corpus} (synthetic)" if plan.corpora[corpus].synthetic else corpus


def protocol_card(plan: ReportPlan, protocol: ProtocolResults) -> Table:
    """The facts, what the audit found, and what the pretrained encoders heard before."""
    audit = protocol.audit
    rows = [
        ("Protocol", audit.statement),
        *protocol_facts(plan, protocol),
        *(("Crosses", line.text) for line in crossing_lines(audit)),
        *([("Speakers", untold)] if (untold := unknown_speakers(audit)) else []),
        *(("Audit", text) for text in (*audit.problems, *audit.warnings)),
        *_encoders(plan, protocol),
    ]
    columns = Column("what", "What"), Column("how", "How")
    cells = [{"what": what, "how": how} for what, how in rows]
    return Table(f"Protocol card of {protocol.name}", columns, cells, warnings(protocol))


def _encoders(plan: ReportPlan, protocol: ProtocolResults) -> Iterator[tuple[str, str]]:
    heard = {name: heard_checkpoints(plan, name) for name in protocol.systems}
    tested = [*protocol.corpora, *protocol.transfers]
    for name, card in plan.checkpoints.items():
        hearing = [system for system, checkpoints in heard.items() if name in checkpoints]
        if not hearing:
            continue
        told = listed(card.pretrained_on) or "data that the settings do not name"
        before = [corpus for corpus in tested if is_pretrained_on(plan, name, corpus)]
        inflated = f", {listed(before)} of this protocol among it" if before else ""
        yield (
            "Encoder",
            f"{name}, pretrained on {told}{inflated}; heard by {listed(hearing)}",
        )


def utterances_table(protocol: ProtocolResults) -> Table:
    """Utterances of each class, and the speakers, of each part of each fold."""
    audit = protocol.audit
    columns = (
        Column("fold", "Fold"),
        Column("part", "Part"),
        *(Column(label, label, "count") for label in audit.labels),
        Column("utterances", "Utterances", "count"),
        Column("speakers", "Speakers"),
        *([Column("unknown", "Of unknown speakers", "count")] if unknown_speakers(audit) else []),
    )
    rows = [
        {
            "fold": fold,
            "part": part,
            **{label: parts[part].labels.get(label, 0) for label in audit.labels},
            "utterances": parts[part].utterances,
            "speakers": _speakers(parts[part]),
            "unknown": parts[part].unknown_speakers,
        }
        for fold, parts in audit.folds.items()
        for part in PARTS
        if part in parts
    ]
    return Table(f"Utterances and speakers of the folds of {protocol.name}", columns, rows)


def _speakers(part: PartCounts) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(part.speakers.items()))
