"""A release archive of NAS-Bench-NLP: a zip of training logs in JSON, read as it is."""

import json
import lzma
import math
import zipfile
import zlib
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from pydantic import ValidationError

from emonas.errors import EmonasError
from emonas.storage.genotype import Recipe, RecurrentGenotype

_USABLE_STATUS = "OK"
_LARGEST = 2**26
"""Bytes of a log; a few of a zip can stand for gigabytes."""
_DAMAGED = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, RuntimeError, OSError)


@dataclass(frozen=True)
class ArchivedRecipe:
    """One log: the recipe, and the lowest validation loss that it published."""

    name: str
    recipe: Recipe
    loss: float


@dataclass
class RecipeArchive:
    """What an archive holds: `recipes` whose training ended well, in the order of the entries'
    names; `failed` counts the other logs by status; `problems` are (entry, reason).
    """

    recipes: list[ArchivedRecipe] = field(default_factory=list)
    failed: dict[str, int] = field(default_factory=dict)
    problems: list[tuple[str, str]] = field(default_factory=list)

    def pool(self) -> list[ArchivedRecipe]:
        """The recipes by published loss, the lowest first; of logs of one name the lowest."""
        ordered = sorted(self.recipes, key=lambda entry: (entry.loss, entry.name))
        first: dict[str, ArchivedRecipe] = {}
        for entry in ordered:
            first.setdefault(entry.name, entry)
        return list(first.values())

    def best(self, count: int) -> list[ArchivedRecipe]:
        """The `count` recipes with the lowest published loss."""
        return self.pool()[:count]

    def sample(self, count: int, generator: np.random.Generator) -> list[ArchivedRecipe]:
        """`count` recipes drawn without repetition, or all where there are fewer."""
        pool = sorted(self.pool(), key=lambda entry: entry.name)
        rows = generator.permutation(len(pool))[:count]
        return [pool[row] for row in sorted(rows)]


def read_archive(path: Path) -> RecipeArchive:
    """Read every log of an archive; one that is damaged is listed and left out.

    Raises:
        EmonasError: there is no such file, or it is no zip archive.
    """
    archive = RecipeArchive()
    if not path.is_file():
        raise EmonasError(
            f"{path}: no such file; give search.archive the zip of NAS-Bench-NLP's training logs"
        )
    try:
        with zipfile.ZipFile(path) as file:
            for entry in sorted(file.namelist()):
                if PurePosixPath(entry).suffix == ".json":
                    _read_entry(file, entry, archive)
    except (zipfile.BadZipFile, NotImplementedError, OSError, ValueError) as error:
        raise EmonasError(f"{path}: this is no zip archive ({error}); fetch it again") from error
    return archive


def _read_entry(file: zipfile.ZipFile, entry: str, archive: RecipeArchive) -> None:
    try:
        if file.getinfo(entry).file_size > _LARGEST:
            raise ValueError(f"larger than {_LARGEST:,} bytes")
        log = json.loads(file.read(entry))
        status = str(log["status"])
        if status == _USABLE_STATUS:
            archive.recipes.append(_recipe(log))
        else:
            archive.failed[status] = archive.failed.get(status, 0) + 1
    # Of a zip file also: a password is asked for, another compression, a place before the file.
    except _DAMAGED as error:
        archive.problems.append((entry, f"damaged ({error})"))
    except ValidationError as error:
        archive.problems.append((entry, f"no recipe: {error.errors()[0]['msg']}"))
    except KeyError as error:
        archive.problems.append((entry, f"the field {error} is missing"))
    except (ValueError, TypeError, OverflowError) as error:
        archive.problems.append((entry, f"no training log ({error})"))


def _recipe(log: dict[str, Any]) -> ArchivedRecipe:
    """The recipe of a log; its field is spelt `recepie` and is JSON within JSON."""
    losses = [float(loss) for loss in log["val_losses"]]
    finite = [loss for loss in losses if math.isfinite(loss)]
    if not finite:
        raise ValueError("no finite validation loss")
    name = str(int(log["recepie_id"]))
    recipe = json.loads(log["recepie"])
    genotype = RecurrentGenotype(method="archive", name=name, recipe=recipe)
    return ArchivedRecipe(name, genotype.recipe, min(finite))
