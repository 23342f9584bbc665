"""A model of the Hugging Face hub: its weights and what reads them, never its code."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from emonas.checkpoints.reading import digest_of
from emonas.errors import EmonasError
from emonas.jobs import Progress, report_line

# In a model's own folder, not in its subfolders, which hold other forms of the same weights.
_BESIDE_WEIGHTS = ("*.json", "*.txt", "*.model")
_WEIGHTS = ("*.safetensors", "pytorch_model*.bin")


def fetch_model(hub: str, revision: str, folder: Path, advice: str) -> None:
    """Fetch a model into `folder`, which may hold a part of it; each file's size is checked.

    Of weights, the `.safetensors` are taken, and `pytorch_model.bin` only where there are none.
    Where the hub knows a file's SHA-256, the file is verified against it.

    Raises:
        EmonasError: the hub cannot be reached, does not know the model, or its files do not come
            whole.
        OSError: the folder cannot be written.
    """
    from huggingface_hub import HfApi, hf_hub_download

    with _told(hub, revision, advice):
        model = HfApi().model_info(hub, revision=revision, files_metadata=True)
    known = {entry.rfilename: entry for entry in model.siblings or []}
    names = _chosen(list(known))
    if not names:
        raise EmonasError(
            f"{hub}: the model has neither .safetensors nor pytorch_model.bin; give another model"
        )
    report_line(f"{hub}: {revision} is commit {model.sha}")
    progress = Progress(hub, len(names))
    for done, name in enumerate(names, start=1):
        with _told(hub, revision, advice):
            hf_hub_download(hub, name, revision=model.sha, local_dir=folder)
        _check(folder / name, known[name])
        progress.step(done, f"{name}, {(folder / name).stat().st_size} bytes")


def _chosen(names: Sequence[str]) -> list[str]:
    """The files to fetch, weights last; none where there are no weights."""
    own = sorted(name for name in names if "/" not in name and not name.startswith("."))
    for pattern in _WEIGHTS:
        weights = [name for name in own if fnmatch(name, pattern)]
        if weights:
            beside = [name for name in own if any(fnmatch(name, kind) for kind in _BESIDE_WEIGHTS)]
            return beside + weights
    return []


def _check(file: Path, entry: Any) -> None:
    """Compare a file that came with what the hub says of it."""
    size = file.stat().st_size
    if entry.size is not None and size != entry.size:
        problem = f"{size} of {entry.size} bytes came"
    elif entry.lfs is not None and digest_of(file) != entry.lfs.sha256:
        problem = f"the SHA-256 is {digest_of(file)}, and the hub says {entry.lfs.sha256}"
    else:
        return
    file.unlink()
    raise EmonasError(f"{file}: {problem}; run again to fetch it anew")


@contextmanager
def _told(hub: str, revision: str, advice: str) -> Iterator[None]:
    """Turn what goes wrong on the way to the hub into one sentence."""
    from huggingface_hub import errors

    try:
        yield
    except errors.GatedRepoError as error:
        raise EmonasError(
            f"{hub}: the model is gated; accept its terms on the hub and log in with hf auth "
            f"login, or {advice}"
        ) from error
    except errors.RevisionNotFoundError as error:
        raise EmonasError(
            f"{hub}: the hub knows no revision {revision}; correct the revision"
        ) from error
    except errors.RepositoryNotFoundError as error:
        raise EmonasError(
            f"{hub}: the hub knows no such model, or it is private; correct the name, or log in "
            "with hf auth login"
        ) from error
    except errors.OfflineModeIsEnabled as error:
        raise EmonasError(
            f"{hub}: cannot be fetched, because HF_HUB_OFFLINE is set; unset it, or {advice}"
        ) from error
    # The hub's transport has changed its library, and with it its exceptions, more than once.
    except Exception as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise EmonasError(f"{hub}: cannot be fetched ({reason}); {advice}") from error
