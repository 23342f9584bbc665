"""A checkpoint of the registry: found or fetched, verified, and written down."""

import errno
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from emonas.checkpoints.checkpoint import Checkpoint
from emonas.checkpoints.fetching import Download
from emonas.checkpoints.hub import fetch_model
from emonas.checkpoints.options import CheckpointOptions
from emonas.checkpoints.places import FOLDER, fetched_path, missing_weights
from emonas.checkpoints.reading import digest_of, files_of
from emonas.checkpoints.record import write_record
from emonas.checkpoints.recorded import Given
from emonas.errors import EmonasError
from emonas.jobs import report_line
from emonas.storage.atomic import write_json

_FULL = {errno.ENOSPC, errno.EDQUOT}


class _OtherWeightsError(EmonasError):
    """These are not the weights that the settings name."""


def obtain_checkpoint(
    name: str,
    options: CheckpointOptions,
    folder: Path,
    record: Path,
    given: Given | None = None,
) -> None:
    """Find or fetch a checkpoint, verify it, and write its record.

    Args:
        name: the checkpoint's name in the settings.
        options: where it is, and what is known of it.
        folder: where fetched weights lie.
        record: the JSON file to write.
        given: what the record is to say that the weights must be; as the options say by default.

    Raises:
        EmonasError: the weights are not there and cannot be fetched, or are other ones than the
            settings say.
    """
    path = options.path or fetched_path(options, folder)
    reason = missing_weights(options)
    if path is None or reason:
        raise EmonasError(f"checkpoints.{name}: {reason}")
    if options.path is not None:
        digest = _verified(name, options, path, f"give the right file as checkpoints.{name}.path")
    elif path.exists():
        digest = _verified_earlier(name, options, path)
    else:
        digest = _fetched(name, options, path)
    if options.sha256 is None:
        report_line(
            f"checkpoints.{name} has no sha256, so these weights were verified against nothing; "
            f"to be sure of them from now on, write sha256: {digest} into the settings"
        )
    report_line(f"{name}: {path}, SHA-256 {digest}")
    write_record(record, Checkpoint(name, path, digest), given or options.given)


def _verified_earlier(name: str, options: CheckpointOptions, path: Path) -> str:
    """Verify what lies in the folder already: without a digest, it must be of this source."""
    source, wanted = _source_of(path), _wanted(options)
    if options.sha256 is None and wanted is not None and source not in {None, wanted}:
        raise EmonasError(
            f"{path}: this was fetched from {source}, not from {wanted}; give "
            f"checkpoints.{name}.sha256 if both are the same, else give this checkpoint "
            f"another file: in ${FOLDER}, or its path"
        )
    return _verified(name, options, path, "delete it, and it is fetched again")


def _fetched(name: str, options: CheckpointOptions, path: Path) -> str:
    """Fetch what is not there, and give it its name once it is verified."""
    part = path.with_name(f"{path.name}.part")
    advice = (
        f"run again to go on, or name a copy as checkpoints.{name}.path, or put it into "
        f"{path.parent}, which ${FOLDER} chooses, as {path.name}"
    )
    with _writing(part), _alone(path):
        if path.exists():
            return _verified_earlier(name, options, path)
        report_line(f"{name}: fetches {_wanted(options)} into {path.parent}")
        if part.exists() and _source_of(path) != _wanted(options):
            _remove(part)
        if options.address is not None:
            digested = options.sha256 is not None
            Download(options.address, part, _note(path), options.size, digested, advice).fetch()
        else:
            write_json(_note(path), {"address": _wanted(options)})
            fetch_model(str(options.hub), options.revision, part, advice)
        try:
            digest = _verified(
                name, options, part, "it was removed; correct what the settings say, or run again"
            )
        except _OtherWeightsError:
            _remove(part)
            raise
        # What the hub's library keeps to go on from.
        shutil.rmtree(part / ".cache", ignore_errors=True)
        part.replace(path)
    return digest


def _verified(name: str, options: CheckpointOptions, path: Path, advice: str) -> str:
    """Give the digest of weights that are the ones the settings name."""
    size = sum(file.stat().st_size for file in files_of(path).values())
    if options.size not in {None, size}:
        raise _OtherWeightsError(
            f"{path}: there are {size} bytes, and checkpoints.{name}.size is {options.size}; "
            f"{advice}"
        )
    digest = digest_of(path)
    if options.sha256 not in {None, digest}:
        raise _OtherWeightsError(
            f"{path}: the SHA-256 is {digest}, and checkpoints.{name}.sha256 is {options.sha256}; "
            f"{advice}"
        )
    return digest


def _wanted(options: CheckpointOptions) -> str | None:
    """Where the settings have the weights fetched from; of a hub's model with its revision."""
    return options.address or (f"{options.hub}@{options.revision}" if options.hub else None)


def _note(path: Path) -> Path:
    """The note beside fetched weights that says what they were fetched from."""
    return path.with_name(f".{path.name}.source.json")


def _source_of(path: Path) -> str | None:
    """What the note says; None where somebody put the weights there by hand."""
    try:
        return str(json.loads(_note(path).read_bytes())["address"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _remove(part: Path) -> None:
    if part.is_dir():
        shutil.rmtree(part)
    else:
        part.unlink()


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Wait until no other process fetches the same weights."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path.with_name(f".{path.name}.lock"))
    try:
        lock.acquire(timeout=0)
    except Timeout:
        report_line(f"{path}: waits for another process that fetches it")
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


@contextmanager
def _writing(part: Path) -> Iterator[None]:
    """Turn a folder that cannot be written into one sentence; what came is kept."""
    try:
        yield
    except OSError as error:
        full = error.errno in _FULL
        reason = "the disk is full" if full else error.strerror or str(error)
        cure = "make room" if full else "make the folder writable"
        raise EmonasError(
            f"{part}: cannot be written ({reason}); {cure} and run again to go on, or choose "
            f"another folder with ${FOLDER}"
        ) from error
