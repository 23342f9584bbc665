"""The audit of the other corpora that a protocol's models are tested on."""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from emonas.errors import EmonasError
from emonas.storage.audit import TransferAudit
from emonas.storage.folds import Part
from emonas.storage.manifest import UNKNOWN_SPEAKER


@dataclass(frozen=True)
class Elsewhere:
    """Another corpus: its manifest, the declared map of its emotions, and the utterances that take
    part as they were written.
    """

    manifest: pd.DataFrame
    map: Mapping[str, str]
    part: pd.DataFrame


def audit_transfer(name: str, elsewhere: Elsewhere) -> TransferAudit:
    """Say which class every emotion counts as, and who and what takes part.

    Raises:
        EmonasError: what was written is not in the manifest, or not by the map.
    """
    rows = _described(name, elsewhere)
    wrong = rows[rows["emotion"].map(elsewhere.map) != rows["label"]]
    if len(wrong):
        raise _made_otherwise(name, str(wrong["utterance"].iloc[0]))
    emotions = elsewhere.manifest["emotion"]
    counted = int(emotions.isin(elsewhere.map.keys()).sum())
    return TransferAudit(
        utterances=len(rows),
        speakers=len(set(rows["speaker"]) - {"", UNKNOWN_SPEAKER}),
        labels=_counts(rows["label"]),
        map=dict(elsewhere.map),
        left_out=_counts(emotions[~emotions.isin([*elsewhere.map, ""])]),
        filtered=counted - len(rows),
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
            names = rows["corpus"] + ": " + rows["utterance"]
            known |= dict(zip(rows["audio"], names, strict=True))
    known.pop("", None)
    sentences = []
    for corpus, elsewhere in transfer.items():
        rows = _described(corpus, elsewhere)
        same = rows[rows["digest"].isin(known.keys())]
        if len(same):
            first = same.iloc[0]
            sentences.append(
                f"of the recordings of {corpus}, on which its models are tested, {len(same)} are "
                f"among those of its folds; the first is {first['utterance']}, which is "
                f"{known[first['digest']]}"
            )
    return tuple(sentences)


def _described(name: str, elsewhere: Elsewhere) -> pd.DataFrame:
    traits = elsewhere.manifest.set_index("utterance")[["emotion", "speaker", "digest"]]
    rows = elsewhere.part.join(traits, on="utterance")
    unknown = rows.loc[rows["emotion"].isna(), "utterance"]
    if len(unknown):
        raise _made_otherwise(name, str(unknown.iloc[0]))
    return rows


def _made_otherwise(name: str, utterance: str) -> EmonasError:
    return EmonasError(
        f"{name}: {utterance} is listed otherwise than manifest and map have it; delete the "
        "protocol's folder and run again"
    )


def _counts(column: pd.Series) -> dict[str, int]:
    return {str(value): int(count) for value, count in column.value_counts().sort_index().items()}
