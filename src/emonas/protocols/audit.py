"""The audit of a protocol: what crosses between the parts of its folds, by name.

It takes the folds as they were written and the manifests, and nothing from the splitter.
"""

from collections.abc import Mapping
from itertools import combinations

import pandas as pd

from emonas.errors import EmonasError
from emonas.phrases import count, spelled_apart
from emonas.protocols.crossings import because_of, crossings_of, in_words, traits_of
from emonas.protocols.options import ProtocolOptions
from emonas.protocols.statement import statement
from emonas.protocols.transfer_audit import Elsewhere, audit_transfer, heard_before
from emonas.storage.audit import Audit, Crossing, PartCounts
from emonas.storage.folds import PARTS, Part

Folds = Mapping[str, Mapping[Part, pd.DataFrame]]


def audit(
    name: str,
    options: ProtocolOptions,
    manifest: pd.DataFrame,
    folds: Folds,
    notes: tuple[str, ...] = (),
    transfer: Mapping[str, Elsewhere] | None = None,
) -> Audit:
    """Audit written folds against the manifests of the protocol's corpora.

    `notes` are sentences that stand before the audit's own warnings; `transfer` are the other
    corpora that the models are tested on.

    Raises:
        EmonasError: a fold names an utterance that no manifest has.
    """
    traits = traits_of(manifest)
    described = {
        fold: {part: _describe(name, fold, parts[part], traits) for part in PARTS}
        for fold, parts in folds.items()
    }
    counts = {
        fold: {part: _count(rows) for part, rows in parts.items()}
        for fold, parts in described.items()
    }
    crossings = tuple(
        crossing
        for fold, parts in described.items()
        for pair in combinations(PARTS, 2)
        for crossing in crossings_of(fold, pair, (parts[pair[0]], parts[pair[1]]), options)
    )
    labels = _labels(options, described)
    elsewhere = transfer or {}
    again = heard_before(described, elsewhere)
    allowed = "audio" in options.allow
    return Audit(
        protocol=name,
        statement=statement(options),
        options=options.model_dump(mode="json", by_alias=True),
        labels=labels,
        speaker_dependent=options.speaker_dependent,
        speaker_dependent_validation=options.speaker_dependent_validation,
        pooled=options.pooled,
        folds=counts,
        transfer={
            corpus: audit_transfer(f"protocols.{name}.transfer.{corpus}", entry)
            for corpus, entry in elsewhere.items()
        },
        crossings=crossings,
        warnings=(
            *notes,
            *_missing_classes(labels, counts),
            *_tested_often(options, folds),
            *_spelled_apart(options, described),
            *(again if allowed else ()),
        ),
        problems=(
            *_problems(options, counts, crossings),
            *_untold(name, options, described),
            *(() if allowed else map(_with_remedy, again)),
        ),
    )


def _with_remedy(sentence: str) -> str:
    return f"{sentence}; take them out of one of the corpora, or add audio to allow"


def _describe(name: str, fold: str, part: pd.DataFrame, traits: pd.DataFrame) -> pd.DataFrame:
    rows = part.join(traits, on=["corpus", "utterance"])
    unknown = rows.loc[rows["speaker"].isna(), "utterance"]
    if len(unknown):
        raise EmonasError(
            f"protocols.{name}: the fold {fold} names {unknown.iloc[0]}, which no manifest has; "
            "delete the protocol's folder and run again"
        )
    return rows


def _count(rows: pd.DataFrame) -> PartCounts:
    labels, speakers = (
        {str(value): int(count) for value, count in rows[key].value_counts().sort_index().items()}
        for key in ("label", "speaker")
    )
    unknown = speakers.pop("", 0)
    return PartCounts(
        utterances=len(rows), labels=labels, speakers=speakers, unknown_speakers=unknown
    )


def _labels(
    options: ProtocolOptions, folds: Mapping[str, Mapping[Part, pd.DataFrame]]
) -> tuple[str, ...]:
    if options.labels is not None:
        return options.labels
    return tuple(
        sorted(
            {
                str(label)
                for parts in folds.values()
                for rows in parts.values()
                for label in rows["label"]
            }
        )
    )


def _missing_classes(
    labels: tuple[str, ...], folds: Mapping[str, Mapping[Part, PartCounts]]
) -> list[str]:
    return [
        f"the {part} part of fold {fold} has no {label}"
        for fold, parts in folds.items()
        for part, counts in parts.items()
        for label in labels
        if counts.utterances and label not in counts.labels
    ]


def _tested_often(options: ProtocolOptions, folds: Folds) -> list[str]:
    """Say where folds that pass for a partition test an utterance more than once."""
    if options.speaker_dependent:
        return []
    tests = pd.concat([parts["test"][["corpus", "utterance"]] for parts in folds.values()])
    often = tests[tests.duplicated()].drop_duplicates()
    if not len(often):
        return []
    return [
        f"more than one fold tests {count(len(often), 'utterance')}, the first is "
        f"{often['utterance'].iloc[0]}"
    ]


def _spelled_apart(
    options: ProtocolOptions, folds: Mapping[str, Mapping[Part, pd.DataFrame]]
) -> list[str]:
    """Ask whether speakers of two parts that differ in case alone are one person, once each."""
    asked: dict[str, None] = {}
    for parts in folds.values():
        for pair in combinations(PARTS, 2):
            if because_of("speaker", pair, options):
                continue
            one, other = (set(parts[part]["speaker"]) for part in pair)
            for names in spelled_apart(one | other):
                if one.intersection(names) and other.intersection(names):
                    asked.setdefault(" and ".join(names), None)
    return [
        f"{names} count as different speakers and stand in different parts of a fold: if they are "
        "one person, write the name alike"
        for names in asked
    ]


def _problems(
    options: ProtocolOptions,
    folds: Mapping[str, Mapping[Part, PartCounts]],
    crossings: tuple[Crossing, ...],
) -> tuple[str, ...]:
    empty = [
        f"the {part} part of fold {fold} is empty"
        for fold, parts in folds.items()
        for part, counts in parts.items()
        if not counts.utterances and not options.may_be_empty(part)
    ]
    return (*empty, *(in_words(crossing) for crossing in crossings if not crossing.allowed))


def _untold(name: str, options: ProtocolOptions, folds: Folds) -> list[str]:
    """Say where unknown speakers stand in one of two parts that may share none, and somebody of
    their corpus in the other: whether they are among those, nobody can tell.
    """
    found = []
    for fold, parts in folds.items():
        for pair in combinations(PARTS, 2):
            unknown = _unknown(parts, pair)
            if unknown and not because_of("speaker", pair, options):
                found.append(
                    f"in fold {fold} the speaker is unknown of {' and '.join(unknown)}, so that "
                    f"nobody can tell whether speakers cross between {' and '.join(pair)}; name "
                    f"them, or, if it is meant, add to protocols.{name}.allow: speaker"
                )
    return found


def _unknown(parts: Mapping[Part, pd.DataFrame], pair: tuple[Part, Part]) -> list[str]:
    """How many utterances of each part are of unknown speakers who may be in the other."""
    found = []
    for part, other in (pair, pair[::-1]):
        rows = parts[part]
        may_be = (rows["speaker"] == "") & rows["corpus"].isin(parts[other]["corpus"])
        if number := int(may_be.sum()):
            found.append(f"{count(number, 'utterance')} of {part}")
    return found
