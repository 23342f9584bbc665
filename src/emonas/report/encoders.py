"""Pretrained encoders: which systems hear them, and whether they heard the tested speech before."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from emonas.report.plan import ReportPlan
from emonas.report.tables import Column, Table
from emonas.report.words import listed


@dataclass(frozen=True)
class Overlap:
    """A checkpoint whose pretraining had the speech of a corpus, and the systems that hear it.

    `place` is where the scores stand that it inflates, within a sentence.
    """

    checkpoint: str
    corpus: str
    systems: tuple[str, ...]
    place: str = "here"

    @property
    def warning(self) -> str:
        """What must stand beside every score of the protocol."""
        return (
            f"{self.checkpoint} was pretrained on {self.corpus}: scores {self.place} are "
            f"inflated, those of {listed(self.systems)}."
        )

    @property
    def remark(self) -> str:
        """What must stand beside a system that hears it."""
        return (
            f"It hears {self.checkpoint}, which was pretrained on {self.corpus}: its scores "
            f"{self.place} are inflated."
        )


def overlaps(plan: ReportPlan, protocol: str) -> tuple[Overlap, ...]:
    """The checkpoints that were trained on a corpus of a protocol and that its systems hear."""
    return _overlaps(plan, protocol, plan.protocols[protocol].corpora)


def transfer_overlaps(plan: ReportPlan, protocol: str) -> tuple[Overlap, ...]:
    """The same of the other corpora that the models of a protocol are tested on."""
    found = _overlaps(plan, protocol, plan.protocols[protocol].transfer)
    return tuple(replace(overlap, place=f"on {overlap.corpus}") for overlap in found)


def _overlaps(plan: ReportPlan, protocol: str, corpora: Sequence[str]) -> tuple[Overlap, ...]:
    systems = plan.run_systems(protocol)
    heard = {system: heard_checkpoints(plan, system) for system in systems}
    found = []
    for name in plan.checkpoints:
        hearing = tuple(system for system in systems if name in heard[system])
        for corpus in corpora if hearing else ():
            if is_pretrained_on(plan, name, corpus):
                found.append(Overlap(name, corpus, hearing))
    return tuple(found)


def heard_checkpoints(plan: ReportPlan, system: str) -> set[str]:
    """The checkpoints that a system hears: through its inputs, their transcripts, its streams."""
    card = plan.systems[system]
    found = {card.checkpoint}
    for stream in card.streams:
        found |= heard_checkpoints(plan, stream)
    for name in card.features:
        if (feature := plan.features.get(name)) is None:
            continue
        found.add(feature.checkpoint)
        if (transcript := plan.transcripts.get(feature.transcript)) is not None:
            found.add(transcript.checkpoint)
    return found - {""}


def is_pretrained_on(plan: ReportPlan, checkpoint: str, corpus: str) -> bool:
    """Whether weights were trained on a corpus, by its name or that of its reader."""
    if (card := plan.checkpoints.get(checkpoint)) is None:
        return False
    names = {_plain(corpus), _plain(plan.corpora[corpus].reader)}
    return any(_plain(name) in names for name in card.pretrained_on)


def _plain(name: str) -> str:
    """A corpus's name as far as its spellings agree: EMO-DB, emo_db and emodb are one."""
    return name.casefold().replace("-", "").replace("_", "")


def encoders_table(plan: ReportPlan) -> Table | None:
    """The pretrained weights that a system of a run hears, or that wrote a shown transcript."""
    rows = [row for name in plan.checkpoints if (row := _row(plan, name))]
    if not rows:
        return None
    columns = (
        Column("checkpoint", "Weights"),
        Column("uses", "Used by"),
        Column("systems", "Heard by"),
        Column("pretrained_on", "Pretrained on"),
        Column("licence", "Licence"),
        Column("source", "From"),
    )
    return Table("Pretrained encoders", columns, rows)


def _row(plan: ReportPlan, name: str) -> dict[str, Any] | None:
    systems = [
        system
        for system in dict.fromkeys(system for run in plan.runs for system in run.systems)
        if name in heard_checkpoints(plan, system)
    ]
    if not systems and not any(
        plan.transcripts[transcript].checkpoint == name
        for _, transcript in plan.recognition
        if transcript in plan.transcripts
    ):
        return None
    card = plan.checkpoints[name]
    return {
        "checkpoint": name,
        "uses": ", ".join(_uses(plan, name)),
        "systems": ", ".join(systems),
        "pretrained_on": ", ".join(card.pretrained_on) or "not said",
        "licence": card.licence or "not said",
        "source": card.source,
    }


def _uses(plan: ReportPlan, checkpoint: str) -> Iterator[str]:
    for name, feature in plan.features.items():
        if feature.checkpoint == checkpoint:
            yield f"{name} ({feature.extractor})"
    for name, system in plan.systems.items():
        if system.checkpoint == checkpoint:
            yield f"{name}, which trains it ({system.network})"
    for name, transcript in plan.transcripts.items():
        if transcript.checkpoint == checkpoint:
            yield f"transcript {name} ({transcript.recogniser})"
