"""`model.json` of an exported system, and the files beside it.

`{fold}/{system}/` holds `weights.safetensors`, `shape.json` and, where there is one,
`genotype.json` of the system and of every stream that it fuses.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from emonas.checkpoints.options import CheckpointOptions
from emonas.errors import DamagedFileError, EmonasError
from emonas.storage.atomic import write_json, write_text
from emonas.storage.digests import digest_of_file
from emonas.storage.json_digest import with_digest, without_digest
from emonas.storage.problems import first_problem
from emonas.systems.shapes import NetworkShape

MODEL_FILE = "model.json"
GRAPH_FILE = "model.onnx"
"""In the folder of each fold, where graphs were asked for and the system allows them."""
_AGAIN = "export the system again"


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ExportedFeature(_Model):
    """A front end: the options of its extractor, and the layers that are heard."""

    options: dict[str, Any]
    layers: tuple[str, ...] = ()


class ExportedCheckpoint(_Model):
    """Pretrained weights that are referred to: where they came from, and their SHA-256."""

    options: CheckpointOptions
    digest: str


class ExportedSystem(_Model):
    """A system: its options, and whether it is the searched network itself, not retrained."""

    fuses: bool
    options: dict[str, Any]
    searched: bool = False
    checkpoint: str | None = None


class ExportedGraphs(_Model):
    """The ONNX graphs of all folds: on how many test utterances they were held against torch, and
    the largest difference of a logit; or why there are none.
    """

    utterances: int = 0
    difference: float = 0.0
    left_out: str | None = None


class ExportedModel(_Model):
    """What `model.json` says: which run this is, and all that a prediction needs beside weights.

    `folds` has the label map of each: the class of each logit, in their order; `systems` has the
    streams of a fused system, in their order, and behind them the system itself; `domains` are
    those that the system tells apart; `onnx` is None where nobody asked for graphs; `files` has the
    SHA-256 of every file that decides an answer.
    """

    format: Literal[1] = 1
    emonas: str
    system: str
    protocol: str
    seed: int
    folds: dict[str, tuple[str, ...]] = Field(min_length=1)
    domains: tuple[str, ...] = ()
    systems: dict[str, ExportedSystem]
    features: dict[str, ExportedFeature]
    transcripts: dict[str, dict[str, Any]] = Field(default_factory=dict)
    checkpoints: dict[str, ExportedCheckpoint] = Field(default_factory=dict)
    onnx: ExportedGraphs | None = None
    files: dict[str, str] = Field(default_factory=dict)

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes of all folds."""
        return tuple(sorted({label for labels in self.folds.values() for label in labels}))

    @property
    def trained(self) -> dict[str, ExportedSystem]:
        """The systems that hear features: the system itself, or its streams."""
        return {name: system for name, system in self.systems.items() if not system.fuses}


def write_model(folder: Path, model: ExportedModel) -> None:
    """Write `model.json`, whole or not at all, with the digests of the files that are there."""
    files = {
        path.relative_to(folder).as_posix(): digest_of_file(path)
        for path in sorted(folder.glob("*/**/*"))
        if path.is_file()
    }
    held = model.model_copy(update={"files": files})
    write_json(folder / MODEL_FILE, with_digest(held.model_dump(mode="json")))


def read_model(folder: Path) -> ExportedModel:
    """Read `model.json`, and hold it and the files beside it against their digests.

    Raises:
        EmonasError: the folder holds no exported system, or not what was exported.
    """
    path = folder / MODEL_FILE
    if not folder.is_dir():
        raise EmonasError(
            f"{folder}: there is no such folder; give the one that emonas export wrote"
        )
    try:
        value = without_digest(path, json.loads(path.read_text(encoding="utf-8")))
        model = ExportedModel.model_validate(value)
    except DamagedFileError as error:
        raise EmonasError(f"{path}: {error.problem}, or {_AGAIN}") from error
    except (OSError, ValueError, RecursionError) as error:
        raise EmonasError(
            f"{path}: this is no exported system ({first_problem(error)}); give the folder that "
            "emonas export wrote, or " + _AGAIN
        ) from error
    _hold_files(folder, model.files)
    return model


def _hold_files(folder: Path, files: Mapping[str, str]) -> None:
    for name, digest in files.items():
        path = folder / name
        if not path.is_file():
            # A prediction needs no graph.
            if path.name == GRAPH_FILE:
                continue
            raise EmonasError(f"{path}: is not there; copy the whole folder, or {_AGAIN}")
        try:
            found = digest_of_file(path)
        except OSError as error:
            raise EmonasError(f"{path}: can't be read ({error.strerror})") from error
        if found != digest:
            raise EmonasError(
                f"{path}: its bytes are not those that were exported; copy it again, or {_AGAIN}"
            )


def write_shape(path: Path, shape: NetworkShape) -> None:
    """Write the shape of a network; the weights that it begins with are referred to elsewhere."""
    value = {
        "widths": shape.widths,
        "classes": shape.classes,
        "names": shape.names,
        "vectors": shape.vectors,
        "domains": dict(shape.domains),
        "tasks": dict(shape.tasks),
    }
    write_text(path, json.dumps(value, indent=1) + "\n")


class _Shape(_Model):
    widths: tuple[int, ...]
    classes: int
    names: tuple[str, ...]
    vectors: tuple[bool, ...]
    domains: dict[str, tuple[int, ...]]
    tasks: dict[str, tuple[str, ...]]


def read_shape(path: Path, checkpoint: Path | None) -> NetworkShape:
    """Read the shape of a network that begins with the verified weights `checkpoint`, if any.

    Raises:
        EmonasError: the file is missing or damaged.
    """
    try:
        value = _Shape.model_validate_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise EmonasError(
            f"{path}: this is no shape of a network ({first_problem(error)}); {_AGAIN}"
        ) from error
    return NetworkShape(**value.model_dump(), checkpoint=checkpoint)
