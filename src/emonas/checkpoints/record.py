"""Writing that weights were verified, and finding them again by that record."""

from dataclasses import asdict
from pathlib import Path

from emonas.checkpoints.checkpoint import Checkpoint
from emonas.checkpoints.reading import digest_of, files_of
from emonas.checkpoints.recorded import Given, Record, Stamps, read_record
from emonas.errors import EmonasError, make_again
from emonas.storage.atomic import write_json


def write_record(record: Path, checkpoint: Checkpoint, given: Given | None = None) -> None:
    """Write that a checkpoint was verified just now, and what its files looked like then.

    `given` is what the settings say that it must be.

    Raises:
        EmonasError: the checkpoint is not there any more.
    """
    path = checkpoint.path.absolute()
    files = _stamps(path)
    size = sum(length for length, _ in files.values())
    value = Record(checkpoint.name, str(path), checkpoint.digest, size, files, given or {})
    write_json(record, asdict(value))


def read_checkpoint(record: Path) -> Checkpoint:
    """Read where verified weights lie; they are digested again only where a file was touched.

    Raises:
        EmonasError: the record is missing or damaged, or the weights are gone or others now.
    """
    value = read_record(record)
    path = Path(value.path)
    if not path.exists():
        raise EmonasError(f"{path}: the checkpoint {value.name} is gone; {make_again(record)}")
    found = _stamps(path)
    touched = [
        name for name in sorted({*value.files, *found}) if value.files.get(name) != found.get(name)
    ]
    if touched and digest_of(path) != value.digest:
        raise EmonasError(
            f"{path}: the checkpoint {value.name} changed since it was verified "
            f"({', '.join(touched[:3])}); {make_again(record)}"
        )
    return Checkpoint(value.name, path, value.digest)


def _stamps(path: Path) -> Stamps:
    statuses = {name: file.stat() for name, file in files_of(path).items()}
    return {name: (status.st_size, status.st_mtime_ns) for name, status in statuses.items()}
