"""`cost.csv` (an epoch a row) and `cost.json` (what a network weighs)."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from emonas.storage.atomic import write_json
from emonas.storage.documents import read_document
from emonas.storage.tables import read_table, write_rows


@dataclass(frozen=True)
class EpochCost:
    """What one epoch took: wall seconds, peak memory in MiB, architectures evaluated, and the
    multiply-accumulates of all that was learnt from, forward (0 where they are not counted).
    """

    epoch: int
    seconds: float
    memory: float
    architectures: int = 0
    macs: int = 0


@dataclass(frozen=True)
class NetworkCost:
    """Weights of the search network (none without a search) and the trained one, and its
    multiply-accumulates for one utterance of the shape in `example`; utterances that are longer
    than the system allows, as many as were `shortened` and were `left_out` of training.
    """

    search: int | None
    derived: int
    macs: int
    example: list[list[int]]
    shortened: int = 0
    left_out: int = 0


def write_epoch_costs(path: Path, rows: Iterable[EpochCost]) -> None:
    """Write what each epoch took."""
    write_rows(path, (asdict(row) for row in rows), tuple(EpochCost.__dataclass_fields__))


def computed_in(path: Path) -> int:
    """The multiply-accumulates of all epochs of a `cost.csv`.

    Raises:
        EmonasError: the file is missing or does not hold them.
    """
    return sum(map(int, read_table(path, ("macs",))["macs"]))


def write_network_cost(path: Path, cost: NetworkCost) -> None:
    """Write what a network weighs."""
    write_json(path, asdict(cost))


def read_network_cost(path: Path) -> NetworkCost:
    """Read what a network weighs.

    Raises:
        EmonasError: the file is missing or does not hold it.
    """
    return read_document(path, NetworkCost, "no cost")
