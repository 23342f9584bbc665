"""`results/evaluate/{protocol}/speed.json`: how fast systems are on the machine that measured."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from emonas.storage.atomic import write_text
from emonas.storage.documents import read_document


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Speed(_Model):
    """Seconds that a system takes for the speech, and the memory in MiB that it takes besides
    Python and torch, other libraries among it; none where the system does not tell.
    """

    seconds: float = Field(gt=0)
    memory: float | None = None


class OfSystem(_Model):
    """On a processor, and on a GPU where there is one; or why it could not be measured."""

    processor: Speed | None = None
    card: Speed | None = None
    left_out: str = ""


class Speeds(_Model):
    """The systems of a protocol, each of one seed and fold, on `speech` seconds of recordings.

    `threads` are those of torch; `card` is the GPU, empty where there is none.
    """

    protocol: str
    speech: float = Field(gt=0)
    processor: str
    threads: int
    card: str
    systems: dict[str, OfSystem]


def write_speeds(path: Path, speeds: Speeds) -> None:
    """Write speeds as JSON, whole or not at all."""
    write_text(path, speeds.model_dump_json(indent=1) + "\n")


def read_speeds(path: Path) -> Speeds:
    """Read speeds.

    Raises:
        DamagedFileError: the file is missing or does not hold speeds.
    """
    return read_document(path, Speeds, "no speeds")
