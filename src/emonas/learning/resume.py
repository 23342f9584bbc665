"""What a killed job needs to go on: a state under a lock, gone when the job ends well."""

import errno
import logging
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from emonas.errors import EmonasError
from emonas.storage.atomic import whole_file
from emonas.storage.resume import resume_folder

State = dict[str, Any]
_LOGGER = logging.getLogger("emonas")


class ResumePoint:
    """States by name in one folder; without a folder nothing is kept."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder

    def save(self, state: State, name: str = "state") -> None:
        """Keep a state of tensors, numbers, text, lists and dictionaries."""
        if self._folder is not None:
            path = self._folder / f"{name}.pt"
            # Given a name, torch does not pass on that the disk is full.
            with whole_file(path) as temporary, temporary.open("wb") as file:
                torch.save(state, file)

    def load(self, name: str = "state") -> State | None:
        """The state that was kept last; None where there is none, or it is damaged.

        Raises:
            EmonasError: it can't be read now, which says nothing of its bytes: no memory, too many
                open files, a disk or a server that does not answer.
        """
        path = None if self._folder is None else self._folder / f"{name}.pt"
        if path is None or not path.exists():
            return None
        try:
            # torch reads the archive without holding it against its checksums.
            with zipfile.ZipFile(path) as archive:
                if (broken := archive.testzip()) is not None:
                    raise ValueError(f"{broken} is not what was written")
            state: State = torch.load(path, weights_only=True)
        except Exception as error:  # damage shows as any of a dozen exceptions
            if not _is_damage(error):
                raise EmonasError(
                    f"{path}: can't be read ({str(error) or type(error).__name__}); run again "
                    "when it can, which goes on from there, or delete it to begin anew"
                ) from error
            _LOGGER.warning("%s: damaged (%s); the job begins anew", path, error)
            return None
        return state

    def forget(self, name: str = "state") -> None:
        """Drop a state that nothing goes on from any more."""
        if self._folder is not None:
            (self._folder / f"{name}.pt").unlink(missing_ok=True)

    @property
    def folder(self) -> Path | None:
        """Where states are kept; None where they are not."""
        return self._folder

    @property
    def keeps(self) -> bool:
        """Whether there is a folder to keep states in."""
        return self._folder is not None

    def part(self, name: str) -> "ResumePoint":
        """A point of its own within this one."""
        return ResumePoint(None if self._folder is None else self._folder / name)


@contextmanager
def resume_point(
    root: Path, stage: str, params: Mapping[str, Any], inputs: Sequence[Path]
) -> Iterator[ResumePoint]:
    """Give the job's point, in its own folder under `root`."""
    with resume_folder(root, stage, params, inputs) as folder:
        yield ResumePoint(folder)


def _is_damage(error: Exception) -> bool:
    """Whether it is the file that is wrong, and not the machine."""
    if isinstance(error, OSError):
        # A damaged archive may name a place before its own begin.
        return error.errno == errno.EINVAL
    # torch has no exception of its own for a processor's memory.
    out_of_memory = isinstance(error, MemoryError | torch.OutOfMemoryError)
    return not out_of_memory and "can't allocate memory" not in str(error)
