"""`results/evaluate/{protocol}/differences.json`: systems less themselves under other protocols."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from emonas.storage.atomic import write_text
from emonas.storage.documents import read_document
from emonas.storage.metrics import Bounds


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Between(_Model):
    """A system's figure under one protocol less that under another, as a fraction: of the means,
    and of the means over folds, with the bounds of their 95% intervals where speakers are known and
    five or more on both sides.
    """

    mean: float
    folds_mean: float
    interval: Bounds | None = None
    folds_interval: Bounds | None = None


class Scores(_Model):
    """The difference in UA and in WA."""

    ua: Between
    wa: Between


class Apart(_Model):
    """One system, less what it reaches under the protocol `less`; `domains` has the same of the
    test utterances of each domain that both protocols have.
    """

    system: str
    less: str
    ua: Between
    wa: Between
    domains: dict[str, Scores] = Field(default_factory=dict)


class Differences(_Model):
    """What systems reach under a protocol, less what they reach under others."""

    protocol: str
    systems: list[Apart]

    def of(self, system: str, less: str) -> Apart | None:
        """The differences of a system; none where they were not asked for."""
        found = (apart for apart in self.systems if (apart.system, apart.less) == (system, less))
        return next(found, None)


def write_differences(path: Path, differences: Differences) -> None:
    """Write differences as JSON, whole or not at all."""
    write_text(path, differences.model_dump_json(indent=1) + "\n")


def read_differences(path: Path) -> Differences:
    """Read differences.

    Raises:
        DamagedFileError: the file is missing or does not hold differences.
    """
    return read_document(path, Differences, "no differences")
