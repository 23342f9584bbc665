"""The audit of the other corpora that a protocol's models are tested on."""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from emonas.storage.audit import TransferAudit
from emonas.storage.folds import Part


@dataclass(frozen=True)
class Elsewhere:
    """Another corpus: its manifest, and the utterances that take part as they were written."""

    manifest: pd.DataFrame
    part: pd.DataFrame


def audit_transfer(elsewhere: Elsewhere) -> TransferAudit:
    """Say which class every emotion counts as, and who and what takes part."""
    manifest = elsewhere.manifest
    rows = _described(elsewhere)
    counted = rows.groupby("emotion")["label"].first()
    rest = manifest.loc[~manifest["emotion"].isin([*counted.index, ""]), "emotion"]
    return TransferAudit(
        utterances=len(rows),
        speakers=int(rows["speaker"].nunique()),
        labels=_counts(rows["label"]),
        map={str(emotion): str(label) for emotion, label in counted.items()},
        left_out=_counts(rest),
    )


def heard_before(
    folds: Mapping[str, Mapping[Part, pd.DataFrame]], transfer: Mapping[str, Elsewhere]
) -> tuple[str, ...]:
    """A sentence for every other corpus of which a recording is among those of the folds.

    `folds` have the column `audio`, the digest of each recording.
    """
    known: dict[str, str] = {}
    for parts in folds.values():
        for rows in parts.values():
            known |= dict(zip(rows["audio"], rows["utterance"], strict=True))
    known.pop("", None)
    sentences = []
    for corpus, elsewhere in transfer.items():
        rows = _described(elsewhere)
        same = rows[rows["digest"].isin(known.keys())]
        if len(same):
            first = same.iloc[0]
            sentences.append(
                f"{len(same)} recordings of {corpus}, to which its models are transferred, are "
                f"its own: {first['utterance']} is {known[first['digest']]}; take them out of "
                "one of the corpora, or add audio to allow"
            )
    return tuple(sentences)


def _described(elsewhere: Elsewhere) -> pd.DataFrame:
    return elsewhere.part.merge(elsewhere.manifest, on="utterance", suffixes=("", "_there"))


def _counts(column: pd.Series) -> dict[str, int]:
    return {str(value): int(count) for value, count in column.value_counts().sort_index().items()}
