"""Weights read without running any code of theirs, and their digests."""

import argparse
import hashlib
import os
import pickle
import re
from pathlib import Path
from typing import Any

from emonas.errors import EmonasError

_FOREIGN = re.compile(r"GLOBAL ([\w.]+)")
_UNPICKLER = "WeightsUnpickler error: "
# torch.save writes protocol 2, and a zip archive around it.
_OTHER_PICKLES = {b"\x80\x03", b"\x80\x04", b"\x80\x05"}


def files_of(path: Path) -> dict[str, Path]:
    """Give the files of a checkpoint by name, in order: one file, or all in a folder.

    What has a name with a dot before it, or lies in such a folder, is no part of a release: it
    belongs to whoever fetched it. Nor is a pipe or a device, which could be read for ever.

    Raises:
        EmonasError: nothing is there, or the folder holds no file.
    """
    if path.is_file():
        return {path.name: path}
    if not path.is_dir():
        raise EmonasError(f"{path}: there is no such file or folder; correct its path")
    files = {}
    for folder, subfolders, names in os.walk(path):
        subfolders[:] = [name for name in subfolders if not name.startswith(".")]
        for name in names:
            file = Path(folder, name)
            # A link that leads nowhere stays: whoever reads it says so.
            if not name.startswith(".") and (file.is_file() or not file.exists()):
                files[file.relative_to(path).as_posix()] = file
    if not files:
        raise EmonasError(f"{path}: the folder holds no file; give the folder of a release")
    return dict(sorted(files.items()))


def digest_of(path: Path) -> str:
    """Give the SHA-256 of a file, or of a folder's sorted lines "name sha256", in hexadecimal.

    Raises:
        EmonasError: nothing is there, or it cannot be read.
    """
    files = files_of(path)
    if not path.is_dir():
        return _file_digest(path)
    lines = (f"{name} {_file_digest(file)}\n" for name, file in files.items())
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def read_state(path: Path) -> Any:
    """Read a file of weights onto the CPU: a `.safetensors`, or what `torch.save` wrote.

    Beside tensors and plain values, only fairseq's `argparse.Namespace` is read; a file that asks
    for anything else is refused before it runs.

    Raises:
        EmonasError: the file is missing or damaged, or holds more than weights.
    """
    if path.is_dir():
        raise EmonasError(f"{path}: this is a folder; give the file of weights in it")
    if path.exists() and not path.is_file():
        raise EmonasError(f"{path}: this is a pipe or a device; give a file of weights")
    try:
        with path.open("rb") as file:
            head = file.read(2)
    except OSError as error:
        raise _unreadable(path, error) from error
    try:
        return _load(path)
    except MemoryError:
        raise
    # A damaged file can raise nearly anything from within its reader.
    except Exception as error:
        raise EmonasError(f"{path}: {_problem(error, head)}") from error


def _load(path: Path) -> Any:
    if path.suffix == ".safetensors":
        from safetensors.torch import load_file

        return load_file(path)
    import torch

    with torch.serialization.safe_globals([argparse.Namespace]):
        return torch.load(path, map_location="cpu", weights_only=True)


def _problem(error: Exception, head: bytes) -> str:
    """Say what is wrong with a file that could not be loaded, and what to do."""
    try:
        text = str(error)
    # An error can hold what can't be written, such as lists in lists without an end.
    except Exception:
        text = ""
    foreign = _FOREIGN.search(text)
    if isinstance(error, pickle.UnpicklingError) and foreign:
        return (
            "the file holds more than weights: reading it would run code that it names "
            f"({foreign[1]}), which is refused; give a file of tensors alone, such as .safetensors"
        )
    if isinstance(error, pickle.UnpicklingError) and head in _OTHER_PICKLES:
        return (
            "the file is a pickle that torch.save did not write; it may hold more than weights, "
            "and is not unpickled; give a file of tensors alone, such as .safetensors"
        )
    if "TorchScript" in text:
        return (
            "the file holds more than weights: it is a TorchScript program, which is not run; "
            "give the release's file of weights"
        )
    lines = text.rsplit(_UNPICKLER, maxsplit=1)[-1].strip().splitlines()
    reason = lines[0] if lines else type(error).__name__
    return (
        f"this is no whole checkpoint ({reason}); download it again: where it was fetched, delete "
        "it and run again"
    )


def _file_digest(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: OSError) -> EmonasError:
    reason = error.strerror or error
    return EmonasError(f"{path}: the checkpoint cannot be read ({reason}); correct its path")
