"""What a kind of system asks of its inputs and genotype, said once."""

from typing import TypeVar

from emonas.errors import EmonasError
from emonas.storage.genotype import (
    AnyGenotype,
    CellsGenotype,
    ConnectionsGenotype,
    RecurrentGenotype,
)
from emonas.systems.options import SystemOptions

_Genotype = TypeVar("_Genotype", CellsGenotype, RecurrentGenotype, ConnectionsGenotype)


def one_stream(options: SystemOptions, widths: tuple[int, ...]) -> int:
    """The width of the only stream.

    Raises:
        EmonasError: there are several.
    """
    if len(widths) != 1:
        raise EmonasError(
            f"inputs: {options.network} hears one stream, not {len(widths)}; name one feature "
            "with at most one layer, and fuse systems for more"
        )
    return widths[0]


def blocks_of_one_width(options: SystemOptions, widths: tuple[int, ...]) -> tuple[int, int]:
    """How many streams there are, and the width of each.

    Raises:
        EmonasError: there is one only, or they differ in width.
    """
    if len(widths) < 2 or len(set(widths)) > 1:
        found = ", ".join(map(str, widths))
        raise EmonasError(
            f"inputs: {options.network} hears two or more streams of one width, and there are "
            f"features of width {found}; name layers of one feature"
        )
    return len(widths), widths[0]


def genotype_of(
    kind: type[_Genotype],
    options: SystemOptions,
    genotype: AnyGenotype | None,
) -> _Genotype:
    """The genotype, if it is of the kind that the system needs.

    Raises:
        EmonasError: it is not.
    """
    if not isinstance(genotype, kind):
        found = "none" if genotype is None else f"one of the kind {genotype.kind}"
        raise EmonasError(
            f"search: {options.network} needs a genotype of {kind.__name__}, and there is {found}; "
            "choose another search method"
        )
    return genotype
