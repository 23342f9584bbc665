"""The one exception that is written for users."""

from pathlib import Path


class EmonasError(Exception):
    """Something the user can mend: one sentence that names the file or key and says what to do."""


def make_again(path: Path) -> str:
    """What to do about a result that can't be used.

    Deleting it does not help: Snakemake makes nothing again that only stands between files that
    are there.
    """
    return f"make it again: snakemake --cores all --force {path}, and --configfile as before"
