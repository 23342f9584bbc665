"""The job that lists another corpus, apart from those that make folds: its code makes none anew."""

from collections.abc import Mapping
from pathlib import Path

from emonas.jobs import report_line
from emonas.protocols.options import ProtocolOptions
from emonas.protocols.transfer import transfer
from emonas.storage.folds import write_part


def write_transfer(
    name: str, options: ProtocolOptions, corpus: str, manifests: Mapping[str, Path], output: Path
) -> None:
    """Write the utterances of another corpus that the models of a protocol are tested on.

    Raises:
        EmonasError: corpus and protocol have no class in common, or a name is not there.
    """
    table = transfer(name, options, corpus, manifests)
    write_part(output, table)
    report_line(f"{name}: {len(table)} utterances of {corpus} to test every model on")
