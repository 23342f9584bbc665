"""Where fetched weights lie."""

import os
from pathlib import Path

from emonas.checkpoints.options import CheckpointOptions, address_name

FOLDER = "EMONAS_CHECKPOINTS"


def checkpoint_folder() -> Path:
    """The folder of fetched weights: `$EMONAS_CHECKPOINTS`, else one in the user's cache."""
    given = os.environ.get(FOLDER)
    if given:
        return Path(given).expanduser()
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(cache).expanduser() / "emonas" / "checkpoints"


def fetched_path(options: CheckpointOptions, folder: Path) -> Path | None:
    """Where fetched weights lie in `folder`; None where the options name nothing to fetch.

    A file keeps its address's last part. A model of the hub is a folder, with `--` for `/` and,
    where the revision is not `main`, with `@` and the revision.
    """
    if options.file is not None:
        return folder / options.file
    if options.address is not None:
        return folder / address_name(options.address)
    if options.hub is not None:
        revision = "" if options.revision == "main" else f"@{options.revision}"
        return folder / f"{options.hub}{revision}".replace("/", "--")
    return None


def locate(options: CheckpointOptions) -> Path | None:
    """The local file or folder that would serve without fetching; None where there is none."""
    path = options.path or fetched_path(options, checkpoint_folder())
    return path if path is not None and path.exists() else None


def missing_weights(options: CheckpointOptions) -> str:
    """Why weights cannot be had; empty where they are here or can be fetched."""
    if options.path is not None or options.address is not None or options.hub is not None:
        return ""
    if options.file is None:
        return "none of path, address, hub and file is given"
    if locate(options) is not None:
        return ""
    return (
        f"there is no {checkpoint_folder() / options.file}; put it there, choose another folder "
        f"with ${FOLDER}, or give its path"
    )
