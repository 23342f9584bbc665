"""The jobs that make folds: the index of a protocol's folds, one fold, and one transfer."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from emonas.errors import EmonasError
from emonas.jobs import report_line
from emonas.protocols.options import ProtocolOptions
from emonas.protocols.select import read_manifests, select
from emonas.protocols.split import Fold, split
from emonas.protocols.transfer import transfer
from emonas.storage import folds as storage
from emonas.storage.folds import PARTS, Part


def write_index(
    name: str, options: ProtocolOptions, manifests: Mapping[str, Path], index: Path
) -> None:
    """Write which folds the protocol has.

    Raises:
        EmonasError: a label or filter that no utterance has, or utterances that can't be split so.
    """
    rows = [
        {"fold": fold, "held_out": made.held_out, **{part: len(made.parts[part]) for part in PARTS}}
        for fold, made in _folds(name, options, manifests).items()
    ]
    storage.write_index(index, pd.DataFrame(rows))
    report_line(f"{name}: {len(rows)} folds")


def write_fold(
    name: str,
    options: ProtocolOptions,
    manifests: Mapping[str, Path],
    fold: str,
    outputs: Mapping[Part, Path],
) -> None:
    """Write the parts of one fold.

    Raises:
        EmonasError: the protocol has no such fold, or what `write_index` refuses.
    """
    folds = _folds(name, options, manifests)
    if fold not in folds:
        raise EmonasError(
            f"protocols.{name}: there is no fold {fold}; there are {', '.join(folds)}"
        )
    for part in PARTS:
        storage.write_part(outputs[part], folds[fold].parts[part])
        report_line(f"{name}, {fold}: {len(folds[fold].parts[part])} utterances in {part}")


def write_transfer(
    name: str, options: ProtocolOptions, corpus: str, manifests: Mapping[str, Path], output: Path
) -> None:
    """Write the utterances of another corpus that the models of a protocol are tested on.

    Raises:
        EmonasError: corpus and protocol have no class in common, or a name is not there.
    """
    table = transfer(name, options, corpus, manifests)
    storage.write_part(output, table)
    report_line(f"{name}: {len(table)} utterances of {corpus} to test every model on")


def _folds(name: str, options: ProtocolOptions, manifests: Mapping[str, Path]) -> dict[str, Fold]:
    manifest = read_manifests(name, options, manifests)
    return split(name, select(name, manifest, options), options)
