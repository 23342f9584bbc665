"""The exceptions that are written for users."""

from pathlib import Path


class EmonasError(Exception):
    """Something the user can mend: one sentence that names the file or key and says what to do."""

    def __init__(self, text: str) -> None:
        super().__init__(one_line(text))


def one_line(text: str) -> str:
    """A text for a terminal or a log: what a name could break or colour it with is spelt out."""
    return "".join(
        sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text
    )


class DamagedFileError(EmonasError):
    """A result of an earlier job is not what it wrote; it must be made again.

    Attributes:
        path: the file.
        problem: what is wrong with it.
    """

    def __init__(self, path: Path, problem: str) -> None:
        super().__init__(f"{path}: {problem}; {make_again(path)}")
        self.path = path
        self.problem = problem


def make_again(*paths: Path) -> str:
    """What to do about results that can't be used, whatever target the user has."""
    them, targets = "it" if len(paths) == 1 else "them", " ".join(map(str, paths))
    return f"make {them} again: snakemake --cores all --force {targets}, and --configfile as before"
