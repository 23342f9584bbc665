"""The job of the audit, apart from those that make folds: a change of it makes no fold anew."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from emonas.errors import EmonasError
from emonas.jobs import report_line
from emonas.phrases import count
from emonas.protocols.audit import audit
from emonas.protocols.listed import unknown_utterances
from emonas.protocols.options import ProtocolOptions
from emonas.protocols.select import read_manifests
from emonas.protocols.transfer import declared_map
from emonas.protocols.transfer_audit import Elsewhere
from emonas.storage.audit import Audit, write_audit_file
from emonas.storage.folds import PARTS, Part, read_part
from emonas.storage.manifest import read_manifest


def write_audit(
    name: str,
    options: ProtocolOptions,
    manifests: Mapping[str, Path],
    folds: Mapping[str, Mapping[Part, Path]],
    transfer: Mapping[str, Path],
    audit_file: Path,
) -> None:
    """Audit the written folds; where they fail, write `audit.failed.json` beside instead.

    `transfer` are the written utterances of other corpora, whose manifests are among `manifests`.

    Raises:
        EmonasError: a part is empty, or parts share what the protocol does not allow.
    """
    manifest = read_manifests(name, options, manifests)
    parts = {
        fold: {part: read_part(paths[part]) for part in PARTS} for fold, paths in folds.items()
    }
    elsewhere = {
        corpus: Elsewhere(
            manifest=read_manifest(manifests[corpus]),
            map=declared_map(name, options, corpus, manifests),
            part=read_part(path),
        )
        for corpus, path in transfer.items()
    }
    result = audit(name, options, manifest, parts, _notes(options, manifest), elsewhere)
    for sentence in (*result.warnings, *result.problems):
        report_line(f"{name}: {sentence}")
    failed = audit_file.with_name(f"{audit_file.stem}.failed{audit_file.suffix}")
    if result.problems:
        write_audit_file(failed, result)
        raise EmonasError(_refusal(result, failed))
    write_audit_file(audit_file, result)
    failed.unlink(missing_ok=True)


def _notes(options: ProtocolOptions, manifest: pd.DataFrame) -> tuple[str, ...]:
    if options.listed is None:
        return ()
    unknown = unknown_utterances(options.listed, manifest, options.corpora)
    if not unknown:
        return ()
    return (
        f"{options.listed} names {count(len(unknown), 'utterance')} that no manifest has, "
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
