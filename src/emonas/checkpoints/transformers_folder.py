"""Folders as transformers saves them: config.json, the weights, and what prepares their input."""

from __future__ import annotations

import json
import pickle
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emonas.errors import EmonasError

if TYPE_CHECKING:
    from transformers import PreTrainedModel

_NAMED = 3


def check_model_type(path: Path, accepted: Collection[str], example: str) -> None:
    """Hold the folder's config.json against the kinds of model that are accepted.

    Args:
        path: the folder.
        accepted: values of `model_type`.
        example: a model of the hub that would do.

    Raises:
        EmonasError: there is no config.json, it is damaged, or it is that of another model.
    """
    config = path / "config.json"
    try:
        settings = json.loads(config.read_text(encoding="utf-8"))
        kind = settings.get("model_type")
    except (FileNotFoundError, NotADirectoryError):
        raise EmonasError(
            f"{path}: there is no config.json; give the folder of a model of transformers, such "
            f"as {example}"
        ) from None
    except (OSError, ValueError, AttributeError) as error:
        raise EmonasError(f"{config}: it cannot be read; fetch the folder again") from error
    if kind not in accepted:
        raise EmonasError(
            f"{config}: model_type is {kind}, not {' or '.join(sorted(accepted))}; give the folder "
            f"of such a model, such as {example}"
        )


def load_model(
    path: Path, model_class: Any, own: Sequence[str], unused: Sequence[str], **options: Any
) -> PreTrainedModel:
    """Load a model in float32 with every weight that it uses, and without running its code.

    Weights saved with a head on top (for pre-training, CTC or classification) load too: the head
    is left out.

    Args:
        path: the folder.
        model_class: its class in transformers.
        own: beginnings of the names of weights that are the model's own, and no head's.
        unused: beginnings of the names of weights that may be missing, or be more than wanted.
        options: for `from_pretrained`.

    Raises:
        EmonasError: the weights are missing, damaged, or not those that config.json describes.
    """
    import torch

    with reading(path):
        model, report = model_class.from_pretrained(
            path,
            local_files_only=True,
            weights_only=True,
            dtype=torch.float32,
            output_loading_info=True,
            ignore_mismatched_sizes=True,
            **options,
        )
    prefix = f"{model.base_model_prefix}."
    names = {
        "missing": report["missing_keys"],
        "not expected": [
            key for key in report["unexpected_keys"] if key.removeprefix(prefix).startswith((*own,))
        ],
        "of another shape": [key for key, *_ in report["mismatched_keys"]],
    }
    wrong = [
        f"{_listed(keys)} {'is' if len(keys) == 1 else 'are'} {what}"
        for what, found in names.items()
        if (keys := [key for key in found if not key.removeprefix(prefix).startswith((*unused,))])
    ]
    if wrong:
        raise EmonasError(
            f"{path}: the weights are not those that config.json describes ({'; '.join(wrong)}); "
            "fetch the folder again"
        )
    loaded: PreTrainedModel = model.eval()
    return loaded


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Keep transformers quiet, and turn whatever it stumbles over into one sentence.

    Raises:
        EmonasError: the folder cannot be read.
    """
    import transformers

    logging: Any = transformers.utils.logging
    verbosity, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    # A damaged file shows itself as anything from a KeyError to an exception of safetensors.
    except Exception as error:
        reason = str(error).strip().split("\n")[0][:200]
        if isinstance(error, pickle.UnpicklingError):
            reason = "its weights hold something else too, which is not loaded"
        raise EmonasError(
            f"{path}: the model cannot be read ({reason or type(error).__name__}); fetch the "
            "folder again"
        ) from error
    finally:
        logging.set_verbosity(verbosity)
        if bars:
            logging.enable_progress_bar()


def _listed(names: Sequence[str]) -> str:
    """Name a few, and count the others."""
    first = sorted(names)[:_NAMED]
    more = len(names) - len(first)
    return ", ".join(first) + (f" and {more} more" if more else "")
