"""How well recognisers heard the corpora: word and character error rates (CTA-RNN, table 1)."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from emonas.report.encoders import is_pretrained_on
from emonas.report.plan import ReportPlan
from emonas.report.tables import Column, Table
from emonas.storage.recognition import Recognition, read_recognition

Rates = Mapping[tuple[str, str], Recognition]
"""Error rates by corpus and transcript."""

_COLUMNS = (
    Column("corpus", "Corpus"),
    Column("transcript", "Transcript"),
    Column("recogniser", "Recogniser"),
    Column("checkpoint", "Weights"),
    Column("wer", "WER (%)", "percent", bounds="wer"),
    Column("cer", "CER (%)", "percent", bounds="cer"),
    Column("substitutions", "Substituted", "count"),
    Column("deletions", "Deleted", "count"),
    Column("insertions", "Inserted", "count"),
    Column("words", "Words", "count"),
    Column("utterances", "Utterances", "count"),
)


def read_rates(plan: ReportPlan, results: Path) -> Rates:
    """The error rates of all corpora and transcripts that the plan shows.

    Raises:
        EmonasError: a file of rates is missing or damaged.
    """
    return {
        (corpus, transcript): read_recognition(
            results / "recognition" / corpus / f"{transcript}.json"
        )
        for corpus, transcript in plan.recognition
    }


def recognition_table(plan: ReportPlan, rates: Rates) -> Table | None:
    """A row a corpus and transcript; none where there are none."""
    if not rates:
        return None
    rows, notes = [], []
    for (corpus, transcript), found in rates.items():
        rows.append(_row(plan, corpus, transcript, found))
        notes += _notes(corpus, found) + list(rate_warnings(plan, corpus, transcript))
    notes.insert(
        0, "Words and characters that were substituted, deleted or inserted, by those said."
    )
    return Table("Recognition", _COLUMNS, rows, tuple(dict.fromkeys(notes)))


def _row(plan: ReportPlan, corpus: str, transcript: str, rates: Recognition) -> dict[str, Any]:
    row: dict[str, Any] = {"corpus": corpus, "transcript": transcript}
    if card := plan.transcripts.get(transcript):
        row |= {"recogniser": card.recogniser, "checkpoint": card.checkpoint}
    counted = ("wer", "cer", "substitutions", "deletions", "insertions", "words", "utterances")
    for name in ("wer", "cer"):
        row[f"{name}_low"], row[f"{name}_high"] = getattr(rates, f"{name}_interval") or (None, None)
    return row | {key: getattr(rates, key) for key in counted}


def _notes(corpus: str, rates: Recognition) -> list[str]:
    notes = [f"Both texts were made comparable: {rates.normalisation}."]
    if rates.without_text:
        left = f"{rates.without_text:,} of {rates.without_text + rates.utterances:,}"
        notes.append(f"{corpus}: {left} utterances have no text, and are left out.")
    return notes


def rate_warnings(plan: ReportPlan, corpus: str, transcript: str) -> tuple[str, ...]:
    """What must stand beside error rates."""
    notes = []
    if plan.corpora[corpus].synthetic:
        notes.append(f"{corpus} is synthetic speech.")
    card = plan.transcripts.get(transcript)
    if card is not None and is_pretrained_on(plan, card.checkpoint, corpus):
        notes.append(f"{card.checkpoint} was pretrained on {corpus}: its rates here are too low.")
    return tuple(notes)
