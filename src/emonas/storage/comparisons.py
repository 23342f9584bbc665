"""`results/evaluate/{protocol}/comparisons.json`: every two systems on the same utterances."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from emonas.storage.atomic import write_text
from emonas.storage.documents import read_document
from emonas.storage.metrics import Bounds

LEVEL = 0.05
"""Of an adjusted p, below which a difference is written as one."""

SWAPS = 9999
"""Of speakers' answers, drawn where there are more; with up to 13 speakers all are tried."""


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Difference(_Model):
    """The first system's figure less the second's, as a fraction; `p` of a two-sided permutation
    test by speaker, and `adjusted` for all pairs of the protocol by Holm's method. `interval` are
    the bounds of its 95% interval by bootstrap over the speakers; none of fewer than five.
    """

    difference: float
    p: float
    adjusted: float
    interval: Bounds | None = None

    @property
    def holds(self) -> bool:
        """Whether the difference is more than chance explains."""
        return self.adjusted < LEVEL


class Pair(_Model):
    """Two systems on the same test utterances of `speakers` speakers."""

    first: str
    second: str
    ua: Difference
    wa: Difference
    speakers: int


class Comparisons(_Model):
    """All pairs of systems under a protocol; `left_out` says of the others why they are not
    compared.
    """

    protocol: str
    pairs: list[Pair]
    left_out: dict[str, str] = Field(default_factory=dict)

    def of(self, first: str, second: str) -> Pair | None:
        """The pair of two systems, in this order; none where they are not compared."""
        for pair in self.pairs:
            if (pair.first, pair.second) == (first, second):
                return pair
            if (pair.second, pair.first) == (first, second):
                return _turned(pair)
        return None


def _turned(pair: Pair) -> Pair:
    ua, wa = (
        figure.model_copy(
            update={
                "difference": -figure.difference,
                "interval": figure.interval and (-figure.interval[1], -figure.interval[0]),
            }
        )
        for figure in (pair.ua, pair.wa)
    )
    return pair.model_copy(update={"first": pair.second, "second": pair.first, "ua": ua, "wa": wa})


def write_comparisons(path: Path, comparisons: Comparisons) -> None:
    """Write comparisons as JSON, whole or not at all."""
    write_text(path, comparisons.model_dump_json(indent=1) + "\n")


def read_comparisons(path: Path) -> Comparisons:
    """Read comparisons.

    Raises:
        DamagedFileError: the file is missing or does not hold comparisons.
    """
    return read_document(path, Comparisons, "no comparisons")
