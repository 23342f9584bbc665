"""`results/evaluate/{protocol}/{system}/speed.json`: how fast a system is on the machine that
measured.
"""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from emonas.storage.atomic import write_text
from emonas.storage.documents import read_document


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Speed(_Model):
    """What a system takes for the speech, on a processor or a GPU.

    `seconds` is the median of so many `times`, `quartiles` are those around it. `memory` is the
    peak in MiB, on a processor that of the whole process; `before` is what the process held of it
    when all libraries were imported and the model not yet loaded. None where the system does not
    tell.
    """

    seconds: float = Field(gt=0)
    quartiles: tuple[float, float]
    times: int = Field(gt=0)
    memory: float | None = None
    before: float | None = None


class SystemSpeed(_Model):
    """A system of one seed and fold, on `speech` seconds of recordings; or why it could not be
    measured.

    `threads` are those of the libraries that compute; `card` is the GPU, empty where there is none.
    """

    speech: float = Field(gt=0)
    processor: str
    threads: int
    card: str
    on_processor: Speed | None = None
    on_card: Speed | None = None
    left_out: str = ""


def write_speed(path: Path, speed: SystemSpeed) -> None:
    """Write a system's speed as JSON, whole or not at all."""
    write_text(path, speed.model_dump_json(indent=1) + "\n")


def read_speed(path: Path) -> SystemSpeed:
    """Read a system's speed.

    Raises:
        DamagedFileError: the file is missing or does not hold a speed.
    """
    return read_document(path, SystemSpeed, "no speed")
