"""What a kind of system asks of its inputs and genotype, said once."""

from typing import TypeVar

from emonas.errors import EmonasError
from emonas.storage.genotype import CellsGenotype, RecurrentGenotype
from emonas.systems.options import SystemOptions

_Genotype = TypeVar("_Genotype", CellsGenotype, RecurrentGenotype)


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


def genotype_of(
    kind: type[_Genotype],
    options: SystemOptions,
    genotype: CellsGenotype | RecurrentGenotype | None,
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
