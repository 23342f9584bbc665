"""The jobs of the stage: the index of the folds, one fold, the audit."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from emonas.errors import EmonasError
from emonas.jobs import report_line
from emonas.protocols.audit import audit
from emonas.protocols.listed import unknown_utterances
from emonas.protocols.options import ProtocolOptions
from emonas.protocols.select import read_manifests, select
from emonas.protocols.split import Fold, split
from emonas.storage import folds as storage
from emonas.storage.audit import Audit, write_audit_file
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


def write_audit(
    name: str,
    options: ProtocolOptions,
    manifests: Mapping[str, Path],
    folds: Mapping[str, Mapping[Part, Path]],
    audit_file: Path,
) -> None:
    """Audit the written folds; where they fail, write `audit.failed.json` beside instead.

    Raises:
        EmonasError: a part is empty, or parts share what the protocol does not allow.
    """
    manifest = read_manifests(name, options, manifests)
    parts = {
        fold: {part: storage.read_part(paths[part]) for part in PARTS}
        for fold, paths in folds.items()
    }
    result = audit(name, options, manifest, parts, _notes(options, manifest))
    for sentence in (*result.warnings, *result.problems):
        report_line(f"{name}: {sentence}")
    failed = audit_file.with_name(f"{audit_file.stem}.failed{audit_file.suffix}")
    if result.problems:
        write_audit_file(failed, result)
        raise EmonasError(_refusal(result, failed))
    write_audit_file(audit_file, result)
    failed.unlink(missing_ok=True)


def _folds(name: str, options: ProtocolOptions, manifests: Mapping[str, Path]) -> dict[str, Fold]:
    manifest = read_manifests(name, options, manifests)
    return split(name, select(name, manifest, options), options)


def _notes(options: ProtocolOptions, manifest: pd.DataFrame) -> tuple[str, ...]:
    if options.listed is None:
        return ()
    unknown = unknown_utterances(options.listed, manifest, options.corpora)
    if not unknown:
        return ()
    return (
        f"{options.listed} names {len(unknown)} utterances that no manifest has, "
        f"the first is {unknown[0]}",
    )


def _refusal(result: Audit, failed: Path) -> str:
    kinds = sorted({crossing.kind for crossing in result.crossings if not crossing.allowed})
    sentence = f"protocols.{result.protocol}: {result.problems[0]}"
    if len(result.problems) > 1:
        sentence += f" (and {len(result.problems) - 1} more such problems)"
    sentence += f"; {failed} lists all"
    if kinds:
        sentence += (
            f"; choose other folds, or, if it is meant, add to protocols.{result.protocol}.allow: "
            f"{', '.join(kinds)}"
        )
    return sentence
