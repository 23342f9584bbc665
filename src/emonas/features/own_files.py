"""Arrays that a user has: a folder of npy, an npz, a CSV or an HDF5, keyed by utterance."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd

from emonas.errors import DamagedFileError, EmonasError
from emonas.features.own_numpy import LARGEST, Npz, read_npy
from emonas.storage.features import Array, FeatureFile
from emonas.storage.hdf5 import own_dataset
from emonas.storage.problems import first_problem
from emonas.storage.sealing import is_sealed
from emonas.storage.tables import read_cells

UTTERANCE = "utterance"


@dataclass(frozen=True)
class _Source:
    """The names of a file, and how the array of a name is read."""

    names: frozenset[str]
    read: Callable[[str], Any]
    frame_rate: float = 0.0


class OwnArrays:
    """A user's arrays, all vectors or all frames, of one width.

    Raises:
        EmonasError: the file is not there, or is of no format that is known here.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._source = _opener(path)(path)
        # A file of a stranger's can raise nearly anything from within its reader.
        except Exception as error:
            raise _unreadable(path, error) from error
        self._first = ""
        self._shape: tuple[int, int] = (0, 0)

    @property
    def names(self) -> frozenset[str]:
        """The names of all arrays."""
        return self._source.names

    @property
    def frame_rate(self) -> float:
        """Frames a second where the file says so, else 0."""
        return self._source.frame_rate

    def read(self, name: str) -> Array:
        """Read the array of an utterance as (frames, features); a vector is one frame.

        Raises:
            EmonasError: it is not there, holds what is no finite number, or its shape is not that
                of the array that was read first.
        """
        if name not in self._source.names:
            raise EmonasError(f"{self._path}: holds no utterance {name}; add it")
        try:
            values = np.asarray(self._source.read(name))
        except Exception as error:
            raise _unreadable(self._path, error, name) from error
        if values.dtype.kind not in "biuf":
            raise self._refused(name, f"holds {values.dtype}, no numbers")
        if values.ndim not in (1, 2) or values.size == 0:
            raise self._refused(name, f"has the shape {values.shape}, no vector and no frames")
        self._compare(name, values)
        with np.errstate(over="ignore"):
            frames = np.atleast_2d(values).astype(np.float32)
        if not np.isfinite(frames).all():
            raise self._refused(name, "holds numbers that are not finite in float32")
        return frames

    def _compare(self, name: str, values: np.ndarray[Any, Any]) -> None:
        shape = values.ndim, values.shape[-1]
        if not self._first:
            self._first, self._shape = name, shape
        if shape != self._shape:
            raise self._refused(
                name, f"is {_described(*shape)}, where {self._first} is {_described(*self._shape)}"
            )

    def _refused(self, name: str, reason: str) -> EmonasError:
        return EmonasError(f"{self._path}: {name} {reason}; correct it")


def _described(dimensions: int, width: int) -> str:
    return f"a vector of {width}" if dimensions == 1 else f"frames of {width} features"


def _unreadable(path: Path, error: Exception, name: str = "") -> EmonasError:
    where = f"{path}: {name}" if name else str(path)
    # No rule makes the file of a user again.
    if isinstance(error, DamagedFileError):
        return EmonasError(f"{where}: {error.problem}; write it again")
    if isinstance(error, EmonasError):
        return error
    reason = first_problem(error)
    if isinstance(error, MemoryError):
        return EmonasError(f"{where}: is larger than the memory ({reason}); split it")
    return EmonasError(f"{where}: this can't be read ({reason}); write it again")


def _opener(path: Path) -> Callable[[Path], _Source]:
    if path.is_dir():
        return _folder
    openers = {".npz": _npz, ".csv": _csv, ".h5": _hdf5, ".hdf5": _hdf5, ".hdf": _hdf5}
    if not path.is_file():
        raise EmonasError(f"{path}: there is no such file or folder; correct the feature's `file`")
    if path.suffix.lower() not in openers:
        raise EmonasError(
            f"{path}: is of no known format; give a folder of .npy files, or a file that ends in "
            f"{', '.join(openers)}"
        )
    return openers[path.suffix.lower()]


def _folder(path: Path) -> _Source:
    files = {file.relative_to(path).with_suffix("").as_posix() for file in path.rglob("*.npy")}
    return _Source(frozenset(files), lambda name: read_npy(path / f"{name}.npy"))


def _npz(path: Path) -> _Source:
    arrays = Npz(path)
    return _Source(arrays.names, arrays.read)


def _hdf5(path: Path) -> _Source:
    file = h5py.File(path, "r")
    if "extractor" in file.attrs and UTTERANCE + "s" in file:
        sealed = is_sealed(file)
        file.close()
        return _feature_file(path, sealed)
    names: list[str] = []
    file.visititems(
        lambda name, entry: names.append(name) if isinstance(entry, h5py.Dataset) else None
    )
    if not all(isinstance(name, str) for name in names):
        raise ValueError("the name of an array is no UTF-8")
    return _Source(frozenset(names), lambda name: _dataset(file, name))


def _dataset(file: h5py.File, name: str) -> Any:
    dataset = own_dataset(file, name)
    if dataset.dtype.hasobject:
        raise ValueError("it holds texts or references and no numbers")
    if dataset.nbytes > max(LARGEST, dataset.id.get_storage_size()):
        raise ValueError(f"{dataset.nbytes:,} bytes are packed in it, {LARGEST:,} at most")
    return dataset[()]


def _feature_file(path: Path, sealed: bool) -> _Source:
    """A feature file of emonas itself, or one that users wrote in its form."""
    file = FeatureFile(path, sealed=sealed)
    if file.facts.layers:
        raise EmonasError(f"{path}: holds layers; give a feature file without layers")
    rate = file.facts.frame_rate
    if not (math.isfinite(rate) and rate >= 0):
        raise EmonasError(f"{path}: its frame_rate is {rate}; write frames a second, or 0")
    return _Source(frozenset(file.utterances), file.read, rate)


def _csv(path: Path) -> _Source:
    """The rows of an utterance, in the file's order, are its frames."""
    table = read_cells(path, dtype={UTTERANCE: str}, low_memory=False)
    if UTTERANCE not in table.columns:
        raise EmonasError(f"{path}: the column {UTTERANCE} is missing; name the key's column so")
    numbers = table.drop(columns=UTTERANCE)
    for column in numbers.columns:
        numbers[column] = _numbers(path, numbers[column])
    values = numbers.to_numpy(np.float64)
    rows = table.groupby(UTTERANCE, sort=False).indices
    one_each = len(rows) == len(table)
    return _Source(
        frozenset(map(str, rows)),
        lambda name: values[rows[name][0]] if one_each else values[rows[name]],
    )


def _numbers(path: Path, column: "pd.Series[Any]") -> "pd.Series[Any]":
    """A column as numbers."""
    if str(column.name).startswith("Unnamed: "):
        raise EmonasError(
            f"{path}: a column has no name; write the table without its index, or name the column"
        )
    numbers = pd.to_numeric(column, errors="coerce")
    wrong = numbers.isna()
    if wrong.any():
        row = int(wrong.to_numpy().argmax())
        raise EmonasError(
            f"{path}: row {row + 1}, column {column.name}: {column.iloc[row]!r} is no number; "
            "correct it"
        )
    return numbers
