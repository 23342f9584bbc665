"""`results/checkpoints/{checkpoint}.json`: weights that were verified, and where they lie."""

from dataclasses import asdict, dataclass
from pathlib import Path

from pydantic import TypeAdapter

from emonas.checkpoints.checkpoint import Checkpoint
from emonas.checkpoints.reading import files_of
from emonas.errors import EmonasError, make_again
from emonas.storage.atomic import write_json
from emonas.storage.problems import first_problem

Stamps = dict[str, tuple[int, int]]


@dataclass(frozen=True)
class _Record:
    """`files` holds bytes and time of change (ns) by name; `note` is for people."""

    name: str
    path: str
    digest: str
    size: int
    files: Stamps
    note: str = ""


def write_record(record: Path, checkpoint: Checkpoint, note: str = "") -> None:
    """Write that a checkpoint was verified just now, and what its files looked like then.

    Raises:
        EmonasError: the checkpoint is not there any more.
    """
    path = checkpoint.path.absolute()
    files = _stamps(path)
    size = sum(length for length, _ in files.values())
    value = _Record(checkpoint.name, str(path), checkpoint.digest, size, files, note)
    write_json(record, asdict(value))


def read_checkpoint(record: Path) -> Checkpoint:
    """Read where verified weights lie; they are not digested again, but must be unchanged.

    Raises:
        EmonasError: the record is missing or damaged, or the weights are gone or changed since.
    """
    try:
        value = TypeAdapter(_Record).validate_json(record.read_bytes(), strict=True)
    except (OSError, ValueError) as error:
        raise EmonasError(
            f"{record}: no record of a checkpoint ({first_problem(error)}); {make_again(record)}"
        ) from error
    path = Path(value.path)
    if not path.exists():
        raise EmonasError(f"{path}: the checkpoint {value.name} is gone; {make_again(record)}")
    found = _stamps(path)
    changed = [
        name for name in sorted({*value.files, *found}) if value.files.get(name) != found.get(name)
    ]
    if changed:
        raise EmonasError(
            f"{path}: the checkpoint {value.name} changed since it was verified "
            f"({', '.join(changed[:3])}); {make_again(record)}"
        )
    return Checkpoint(value.name, path, value.digest)


def _stamps(path: Path) -> Stamps:
    statuses = {name: file.stat() for name, file in files_of(path).items()}
    return {name: (status.st_size, status.st_mtime_ns) for name, status in statuses.items()}
