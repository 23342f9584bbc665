"""Which utterances take part, and what their class is: labels, merges, filters, limit."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from emonas.errors import EmonasError
from emonas.protocols.options import ProtocolOptions
from emonas.storage.manifest import UNKNOWN_SPEAKER, read_manifest

SELECTED_COLUMNS = (
    "utterance",
    "corpus",
    "label",
    "domain",
    "speaker",
    "session",
    "gender",
    "text",
    "digest",
)


def read_manifests(
    name: str, options: ProtocolOptions, manifests: Mapping[str, Path]
) -> pd.DataFrame:
    """Read the manifests of a protocol's corpora into one table.

    Raises:
        EmonasError: a corpus has no manifest, or a manifest can't be read.
    """
    tables = []
    for corpus in options.corpora:
        if corpus not in manifests:
            raise EmonasError(f"protocols.{name}.corpora: there is no manifest of {corpus}")
        tables.append(read_manifest(manifests[corpus]).assign(corpus=corpus))
    return pd.concat(tables, ignore_index=True)


def select(name: str, manifest: pd.DataFrame, options: ProtocolOptions) -> pd.DataFrame:
    """Give the utterances that take part, with `SELECTED_COLUMNS`, by corpus and utterance.

    Where several corpora are pooled, `speaker` and `session` are `corpus:name`. An unknown speaker
    is empty, because the unknown ones may be any of the others.

    Raises:
        EmonasError: a label or filter that no utterance has, or a corpus of which nothing is left.
    """
    # Draws depend on the order, so the order may not depend on the corpora's.
    manifest = manifest.sort_values(["corpus", "utterance"])
    table = manifest.assign(
        label=_labels(name, manifest["emotion"], options),
        speaker=manifest["speaker"].replace(UNKNOWN_SPEAKER, ""),
    )
    table = table[table["label"] != ""]
    if options.labels is not None:
        table = table[table["label"].isin(options.labels)]
    for corpus, own in options.labels_of.items():
        of_corpus = table["corpus"] == corpus
        _refuse_unknown(f"protocols.{name}.labels_of.{corpus}", own, table.loc[of_corpus, "label"])
        table = table[~of_corpus | table["label"].isin(own)]
    for key in ("style", "language", "gender"):
        if wanted := getattr(options, key):
            _refuse_unknown(f"protocols.{name}.{key}", wanted, manifest[key])
            table = table[table[key].isin(wanted)]
    for corpus in options.corpora:
        if not (table["corpus"] == corpus).any():
            raise EmonasError(
                f"protocols.{name}: labels and filters leave no utterance of {corpus}; "
                "widen them or leave the corpus out"
            )
    if options.limit is not None:
        table = _limit(table, options.limit, options.seed)
    return _identified(table, options).reset_index(drop=True)[list(SELECTED_COLUMNS)]


def _labels(name: str, emotions: pd.Series, options: ProtocolOptions) -> pd.Series:
    _refuse_unknown(f"protocols.{name}.merge", tuple(options.merge), emotions)
    labels = emotions.map(lambda emotion: options.merge.get(emotion, emotion))
    _refuse_unknown(f"protocols.{name}.labels", options.labels or (), labels)
    return labels


def _refuse_unknown(key: str, wanted: tuple[str, ...], values: pd.Series) -> None:
    there = sorted({str(value) for value in values} - {""})
    for value in wanted:
        if value not in there:
            known = ", ".join(there) or "none"
            raise EmonasError(f"{key}: no utterance has {value}; there are {known}")


def _limit(table: pd.DataFrame, limit: int, seed: int) -> pd.DataFrame:
    """Take `limit` utterances a corpus and class, from as many speakers as there are."""
    order = np.random.default_rng(seed).permutation(len(table))
    shuffled = table.iloc[order]
    turn = shuffled.groupby(["corpus", "label", "speaker"]).cumcount()
    dealt = shuffled.iloc[np.argsort(turn.to_numpy(), kind="stable")]
    return dealt.groupby(["corpus", "label"]).head(limit).sort_values(["corpus", "utterance"])


def _identified(table: pd.DataFrame, options: ProtocolOptions) -> pd.DataFrame:
    domains = {
        "none": pd.Series("", index=table.index),
        "corpus": table["corpus"],
        "language": table["language"],
    }
    table = table.assign(domain=domains[options.domain])
    if len(options.corpora) == 1:
        return table
    prefixed = {
        key: (table["corpus"] + ":" + table[key]).where(table[key] != "", "")
        for key in ("speaker", "session")
    }
    return table.assign(**prefixed)
