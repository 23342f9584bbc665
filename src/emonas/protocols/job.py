"""The jobs that make folds: the index of a protocol's folds, and one fold."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from emonas.errors import EmonasError
from emonas.jobs import report_line
from emonas.protocols.options import ProtocolOptions
from emonas.protocols.select import read_manifests, select
from emonas.protocols.split import Fold, split
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


def _folds(name: str, options: ProtocolOptions, manifests: Mapping[str, Path]) -> dict[str, Fold]:
    manifest = read_manifests(name, options, manifests)
    return split(name, select(name, manifest, options), options)
