"""How many folds and utterances there are, from files where they are there, else as published."""

from dataclasses import asdict, dataclass, field
from pathlib import Path

import pandas as pd

from emonas.corpora.reading import Expected, Listing, published_size
from emonas.kinds import kind_module
from emonas.protocols.listed import read_list
from emonas.protocols.options import ProtocolOptions
from emonas.protocols.select import select
from emonas.protocols.split import split
from emonas.settings.listings import can_be_listed
from emonas.settings.plan import Plan
from emonas.storage.folds import PARTS, read_index
from emonas.storage.manifest import MANIFEST_COLUMNS, read_manifest

TYPICAL_SECONDS = 4.0
"""Length of an utterance where no manifest says it."""


@dataclass(frozen=True)
class CorpusSize:
    """A corpus: `seconds` is the mean length of an utterance; `table` is its manifest, if known."""

    published: Expected
    seconds: float = TYPICAL_SECONDS
    table: pd.DataFrame | None = None

    @property
    def utterances(self) -> int:
        """How many utterances it has, at most where there is no table."""
        return self.published.utterances if self.table is None else len(self.table)


@dataclass(frozen=True)
class ProtocolSize:
    """A protocol: `train` is the mean size of a fold's training part, at most if not `exact`, and
    `utterances` that of all its parts.
    """

    folds: int
    train: float
    exact: bool
    utterances: float = field(default=0.0, compare=False)


def corpus_size(plan: Plan, corpus: str, *, listed: bool = True) -> CorpusSize | None:
    """The size of a corpus; None where nothing tells it.

    Without `listed` its files are not listed, which takes seconds: what is not read counts as
    large as it was published.

    Raises:
        EmonasError: its manifest or its table is damaged.
    """
    options = plan.settings.corpora[corpus]
    reader = kind_module("reader", options.reader)
    manifest = Path(f"results/corpora/{corpus}/manifest.csv")
    if manifest.exists():
        table = read_manifest(manifest)
        return CorpusSize(_facts(table), float(table["seconds"].mean()), table)
    if listed and can_be_listed(options):
        listing: Listing = reader.read(options, manifest.parent)
        table = _listed(listing, corpus)
        if len(table):
            return CorpusSize(_facts(table), table=table)
    published = published_size(reader, options)
    return None if published is None else CorpusSize(published)


def protocol_size(plan: Plan, protocol: str) -> ProtocolSize | None:
    """The folds of a protocol; None where nothing tells them.

    Raises:
        EmonasError: a file is damaged, or the utterances can't be split so.
    """
    options = plan.settings.protocols[protocol]
    index = Path(f"results/protocols/{protocol}/folds.csv")
    if index.exists():
        folds = read_index(index)
        every = float(folds[list(PARTS)].sum(axis=1).mean())
        return ProtocolSize(len(folds), float(folds["train"].mean()), exact=True, utterances=every)
    corpora = {corpus: corpus_size(plan, corpus) for corpus in options.corpora}
    tables = [
        size.table.assign(corpus=corpus)
        for corpus, size in corpora.items()
        if size is not None and size.table is not None
    ]
    if len(tables) == len(corpora):
        made = split(protocol, select(protocol, pd.concat(tables), options), options)
        train = sum(len(fold.parts["train"]) for fold in made.values()) / len(made)
        every = sum(len(part) for fold in made.values() for part in fold.parts.values()) / len(made)
        return ProtocolSize(len(made), train, exact=True, utterances=every)
    if options.listed is not None:
        return _by_list(options, options.listed) if options.listed.exists() else None
    known = [size for size in corpora.values() if size is not None]
    return _by_formula(options, known) if len(known) == len(corpora) else None


def _by_list(options: ProtocolOptions, path: Path) -> ProtocolSize:
    rows = read_list(path, options.corpora)
    folds = int(rows["fold"].nunique())
    train = int((rows["part"] == "train").sum()) / folds
    return ProtocolSize(folds, train, exact=False, utterances=len(rows) / folds)


def _by_formula(options: ProtocolOptions, corpora: list[CorpusSize]) -> ProtocolSize:
    """From published sizes; labels and filters are left aside, so there are fewer utterances."""
    utterances = sum(size.utterances for size in corpora)
    speakers = max(1, sum(size.published.speakers for size in corpora))
    sessions = max(1, sum(size.published.sessions for size in corpora))
    if options.limit is not None and options.labels is not None:
        utterances = min(utterances, options.limit * len(options.labels) * len(corpora))
    groups = options.groups or 1
    tested = {"speaker": 1 / speakers, "session": 1 / sessions, "groups": 1 / groups}
    validated = {"speaker": 1 / speakers, "partner": 1 / speakers, "session": 1 / sessions}
    validated |= {"group": 1 / groups, "none": 0.0}
    rest = 1 - tested.get(options.test, options.share)
    rest -= validated.get(options.validation, options.validation_share * rest)
    folds = {
        "speaker": speakers if options.swap else sessions,
        "session": sessions,
        "groups": groups,
        "random": options.repeats,
    }
    return ProtocolSize(folds[options.test], utterances * rest, exact=False, utterances=utterances)


def _listed(listing: Listing, corpus: str) -> pd.DataFrame:
    """A manifest without what only the audio tells."""
    rows = [asdict(recording) for recording in listing.recordings]
    table = pd.DataFrame(rows, columns=list(MANIFEST_COLUMNS))
    return table.assign(corpus=corpus, digest="")


def _facts(table: pd.DataFrame) -> Expected:
    speakers, sessions = int(table["speaker"].nunique()), int(table["session"].nunique())
    return Expected(len(table), speakers, sessions, 0)
