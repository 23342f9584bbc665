"""What a rehearsal needs of a system that trains an encoder: its sizes, and answers to tasks."""

from collections.abc import Mapping
from itertools import cycle
from pathlib import Path
from typing import Any

from emonas.storage.folds import Part, read_part
from emonas.storage.manifest import Utterance, write_manifest
from emonas.systems.task_targets import other_tasks
from emonas.systems.tuned_options import RandomEncoder, TunedOptions

_ANSWERS = (("female", "scripted", "a few words"), ("male", "improvised", "some others"))


def rehearsable(options: Any, checkpoint: Path | None) -> Any:
    """The options of a system that can be built now: without its weights one of random weights in
    the sizes of a base model, with all that is learnt in one stage.
    """
    if not isinstance(options, TunedOptions):
        return options
    changes: dict[str, Any] = {"start": None}
    if options.checkpoint is not None and checkpoint is None:
        changes |= {"checkpoint": None, "random": RandomEncoder()}
    return options.model_copy(update=changes)


def write_answers(options: Any, folder: Path, parts: Mapping[Part, Path]) -> dict[str, Path]:
    """A manifest of the parts' one corpus in a folder of its name, for a system that learns from
    it; none for another.
    """
    if not other_tasks(options):
        return {}
    names = [name for path in parts.values() for name in read_part(path)["utterance"]]
    path = folder / "manifest.csv"
    write_manifest(
        path,
        [
            Utterance(name, "", folder.name, "", "", gender, "", style, text, "", 1.0, 16000, name)
            for name, (gender, style, text) in zip(names, cycle(_ANSWERS), strict=False)
        ],
    )
    return {folder.name: path}
