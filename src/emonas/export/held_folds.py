"""The folds of a bundle and their audits held against its manifests and its settings file."""

from collections.abc import Generator, Iterator, Mapping
from pathlib import Path

import pandas as pd

from emonas.export.bundle import RESULTS
from emonas.export.held import Verified
from emonas.export.mishaps import guarded
from emonas.export.side_by_side import pairs
from emonas.protocols.audit import Folds, audit
from emonas.protocols.options import ProtocolOptions
from emonas.protocols.select import read_manifests, select
from emonas.protocols.transfer import declared_map, transfer
from emonas.protocols.transfer_audit import Elsewhere
from emonas.report.plan import ReportPlan
from emonas.settings.as_run import load_elsewhere
from emonas.storage.audit import Audit, read_audit_file
from emonas.storage.folds import PART_COLUMNS, PARTS, TRANSFER, read_index, read_part
from emonas.storage.manifest import read_manifest

_KEY = ["corpus", "utterance"]


def folds_held(folder: Path, told: ReportPlan) -> Generator[Verified, None, None]:
    """Labels, domains, counts and audits of an unpacked bundle that are not those that follow from
    its manifests and its settings file, which must be sound.
    """
    settings = load_elsewhere(folder / told.settings_file)
    for name in told.run_protocols():
        options = settings.protocols[name]
        corpora = (*options.corpora, *told.protocols[name].transfer)
        places = {of: folder / RESULTS / "corpora" / of / "manifest.csv" for of in corpora}
        place = f"{RESULTS}/protocols/{name}"
        differences = protocol_differs(name, options, places, folder / place)
        held = (Verified(0, [sentence]) for sentence in differences)
        yield from guarded(held, folder, place)


def protocol_differs(
    name: str, options: ProtocolOptions, manifests: Mapping[str, Path], folder: Path
) -> Iterator[str]:
    """What in a protocol's written folds and audit does not follow from manifests and options.

    Raises:
        EmonasError: a file is missing or damaged, or nothing follows from them.
    """
    place = f"{RESULTS}/protocols/{name}"
    manifest = read_manifests(name, options, manifests)
    index = read_index(folder / "folds.csv").set_index("fold")
    folds: Folds = {
        fold: {part: _part(folder / fold / f"{part}.csv") for part in PARTS} for fold in index.index
    }
    wanted = select(name, manifest, options)
    for fold, parts in folds.items():
        for part, rows in parts.items():
            yield from _labelled_otherwise(f"{place}/{fold}/{part}.csv", rows, wanted)
            count = int(index[part][fold])
            if count != len(rows):
                yield f"{place}/folds.csv: {fold} has not {count} in {part}"
    elsewhere = {}
    for corpus in [of for of in manifests if of not in options.corpora]:
        rows = _part(folder / TRANSFER / f"{corpus}.csv")
        file = f"{place}/{TRANSFER}/{corpus}.csv"
        all_of = transfer(name, options, corpus, manifests)
        yield from _labelled_otherwise(file, rows, all_of)
        if len(rows) != len(all_of):
            yield f"{file}: has {len(rows)} utterances, and {len(all_of)} by its manifest"
        counted = declared_map(name, options, corpus, manifests)
        elsewhere[corpus] = Elsewhere(read_manifest(manifests[corpus]), counted, rows)
    said = read_audit_file(folder / "audit.json")
    again = audit(name, options, manifest, folds, _notes(options, said), elsewhere)
    told, made = (_without_texts(of).model_dump(mode="json") for of in (said, again))
    for key, one, other in pairs(told, made):
        if one != other:
            yield f"{place}/audit.json: {key} is {one!r}, and {other!r} again"


def _part(path: Path) -> pd.DataFrame:
    """A part by its own columns: others could have the names of a manifest's."""
    return read_part(path)[list(PART_COLUMNS)]


def _labelled_otherwise(file: str, rows: pd.DataFrame, wanted: pd.DataFrame) -> Iterator[str]:
    """The first utterance that does not take part, or not with this label and domain."""
    columns = ["label", "domain"]
    both = rows.merge(wanted[[*_KEY, *columns]], "left", _KEY).fillna("")
    for column in columns:
        wrong = both[both[f"{column}_x"] != both[f"{column}_y"]]
        if len(wrong):
            first = wrong.iloc[0]
            yield (
                f"{file}: {column} of {first['utterance']} is {first[f'{column}_x']!r}, and "
                f"{first[f'{column}_y']!r} by its manifest and the protocol"
            )


def _notes(options: ProtocolOptions, said: Audit) -> tuple[str, ...]:
    """What only the protocol's list, which is not in the bundle, could tell."""
    if options.listed is None:
        return ()
    return tuple(text for text in said.warnings[:1] if text.startswith(f"{options.listed} names "))


def _without_texts(of: Audit) -> Audit:
    """An audit without the texts that cross: a bundle numbers them, and has none of them."""
    crossings = tuple(crossing for crossing in of.crossings if crossing.kind != "text")
    return of.model_copy(update={"crossings": crossings})
